"""Calls of DocuSign: each one reported for the integration log, refused in our errors, and sent once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from shared.domain.cash.signing import SigningAccount
from shared.errors import ProviderUnavailableError
from shared.ports.time import Chance, Clock
from shared.providers.call_record import CallRecord, OnCall
from shared.providers.docusign.errors import api_error, error_code
from shared.providers.wire import Answer, Wire

PROVIDER = "docusign"

Token = Callable[[bool], str]
"""Gives an access token; called with True it must be a newer one than DocuSign just refused."""

UNAUTHORIZED = 401


class ReportedWire:
    """A wire that tells `on_call` of every exchange: what it was for and how it went, never what was said."""

    def __init__(self, wire: Wire | None, *, clock: Clock, on_call: OnCall) -> None:
        """wire: connections to share with others; own ones if None. on_call: must not raise: what was sent is sent."""
        self._wire = wire or Wire()
        self._clock = clock
        self._on_call = on_call

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: str | bytes | None = None, purpose: str
    ) -> Answer:
        """Raises: ProviderUnavailableError: no answer; DocuSign may have acted."""
        started_at = self._clock.now()
        result, status, trace_id = "no_answer", 0, ""
        try:
            answer = self._wire.send(method, url, headers=headers, body=body, call=f"{PROVIDER} {purpose}")
            result = "ok" if answer.status < 400 else error_code(answer) or f"http_{answer.status}"
            status, trace_id = answer.status, answer.headers.get("x-docusign-tracetoken", "")
            return answer
        finally:
            duration_s = (self._clock.now() - started_at).total_seconds()
            self._on_call(CallRecord(PROVIDER, purpose, result, status, started_at, duration_s, trace_id))


class DocuSignHttp:
    """The eSignature REST API v2.1 for one account. Threads may share it."""

    def __init__(
        self,
        token: Token,
        account: SigningAccount,
        *,
        clock: Clock,
        chance: Chance,
        on_call: OnCall,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent until the first call. token: see `Token`; its errors pass through."""
        self._token = token
        self._root = f"{account.base_url}/v2.1/accounts/{quote(account.account_id, safe='')}"
        self._clock = clock
        self._chance = chance
        self._wire = ReportedWire(wire, clock=clock, on_call=on_call)

    def call(
        self,
        method: str,
        *path: str,
        purpose: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request below the account; return its JSON. Path parts are escaped here.

        A refused token is refreshed and tried once more; nothing else is repeated here, the queue does that.

        Raises:
            AdminActionError: with the catalogue's id in `reason`.
            RateLimitedError: hourly, burst or polling limit, by its code, whatever the status.
            ProviderUnavailableError: 5xx, 401 after a refresh, no answer or one that is not JSON.
            NotFoundError, ForbiddenError, InputError; PermanentError for a request DocuSign calls wrong.
        """
        answer = self._authorized(method, path, purpose, query, body, accept="application/json")
        try:
            content = json.loads(answer.body, parse_float=Decimal)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ProviderUnavailableError(f"{purpose} answered {answer.status} with a garbled body")
        return content

    def pdf(self, *path: str, purpose: str, query: Mapping[str, str] | None = None) -> bytes:
        """Read a document. Raises: as `call`; ProviderUnavailableError too for anything that is not a PDF."""
        answer = self._authorized("GET", path, purpose, query, None, accept="application/pdf")
        if not answer.body.startswith(b"%PDF-"):
            raise ProviderUnavailableError(f"{purpose} answered {answer.status} without a PDF")
        return answer.body

    def _authorized(
        self,
        method: str,
        path: tuple[str, ...],
        purpose: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        *,
        accept: str,
    ) -> Answer:
        url = "/".join([self._root, *(quote(part, safe="") for part in path)])
        if query:
            url = f"{url}?{urlencode(query)}"
        content = None if body is None else json.dumps(body)
        headers = {"accept": accept, **({"content-type": "application/json"} if body is not None else {})}
        for refresh in (False, True):
            authorized = {**headers, "authorization": f"Bearer {self._token(refresh)}"}
            answer = self._wire.send(method, url, headers=authorized, body=content, purpose=purpose)
            if answer.status != UNAUTHORIZED:
                break
        if not 200 <= answer.status < 300:
            raise api_error(answer, purpose=purpose, now=self._clock.now(), fraction=self._chance.fraction())
        return answer

"""Calls of the Accounting API: one exchange each, refused in our errors, each reported for the integration log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from shared.errors import ProviderUnavailableError
from shared.ports.time import Clock
from shared.providers import exact_json
from shared.providers.call_record import CallRecord, OnCall
from shared.providers.quickbooks.errors import api_error, fault_of
from shared.providers.wire import Answer, Wire

Token = Callable[[bool], str]
"""Gives an access token; called with True it must be a newer one than Intuit just refused."""

MINOR_VERSION = "75"
"""The API's version: 75 is the oldest that is served since August 2025."""

PAGE = 1000
"""The most objects of one query."""

UNAUTHORIZED = 401

Json = dict[str, Any]


class QuickBooksHttp:
    """One company's Accounting API. Threads may share it."""

    def __init__(
        self,
        token: Token,
        *,
        realm_id: str,
        api: str,
        clock: Clock,
        on_call: OnCall,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            token: see `Token`. Its errors pass through.
            realm_id: the company. api: root of the API, `Endpoints.api`.
            on_call: hears of every exchange, also of one that failed.
            wire: connections to share with others; own ones if left out.
        """
        self.realm_id = realm_id
        self._token = token
        self._base = f"{api.rstrip('/')}/v3/company/{quote(realm_id, safe='')}"
        self._clock = clock
        self._on_call = on_call
        self._wire = wire or Wire()

    def get(self, path: str, *, purpose: str, **query: str) -> Json:
        """Read `path` under the company.

        Raises: see `post`.
        """
        return self._call("GET", path, query, None, "", purpose)

    def post(self, path: str, body: Json, *, purpose: str, **query: str) -> Json:
        """Send JSON to `path` under the company.

        A refused token is refreshed and tried once more: Intuit refuses it before it does anything. Nothing else is
        repeated here.

        Raises:
            AdminActionError: with the catalogue's id in `reason`.
            RateLimitedError: 60 seconds, or what Intuit said.
            ProviderUnavailableError: 5xx, HTML, no or garbled answer; Intuit may have acted.
            NotFoundError, AlreadyExistsError (6240, 6140), StaleWriteError (5010), InputError (what a person can
            correct); PermanentError for what QuickBooks does not understand.
        """
        return self._call("POST", path, query, exact_json.dumps(body), "application/json", purpose)

    def trigger(self, path: str, *, purpose: str, **query: str) -> Json:
        """POST without a body, as sending an invoice by mail wants it. Raises: see `post`."""
        return self._call("POST", path, query, "", "application/octet-stream", purpose)

    def select(self, entity: str, where: str = "", *, purpose: str) -> list[Json]:
        """Every object of a kind for which `where` holds, page by page, in the order of their ids.

        Args:
            where: conditions of the query language, joined by "and"; strings come from `literal`.
        Source:
            GET query?query=... -> {"QueryResponse": {"Invoice": [...], "startPosition", "maxResults"}}; the entity's
            key is absent where nothing was found.
        """
        words = ["select", "*", "from", entity, *(["where", where] if where else []), "orderby Id"]
        found: list[Json] = []
        while True:
            page = " ".join([*words, f"startposition {len(found) + 1} maxresults {PAGE}"])
            answer = self.get("query", purpose=purpose, query=page)
            part = (answer.get("QueryResponse") or {}).get(entity) or []
            found.extend(part)
            if len(part) < PAGE:
                return found

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: str | None, content_type: str, purpose: str
    ) -> Json:
        url = f"{self._base}/{path}?{urlencode({**query, 'minorversion': MINOR_VERSION})}"
        headers = {"accept": "application/json", **({"content-type": content_type} if content_type else {})}
        answer, result = self._exchange(method, url, headers, body, purpose, refresh=False)
        if answer.status == UNAUTHORIZED:
            answer, result = self._exchange(method, url, headers, body, purpose, refresh=True)
        if result is None:
            raise api_error(answer, call=purpose, now=self._clock.now())
        return result

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, purpose: str, *, refresh: bool
    ) -> tuple[Answer, Json | None]:
        """One request and its record; the JSON object of a success, None for any other answer."""
        authorized = {**headers, "authorization": f"Bearer {self._token(refresh)}"}
        started_at, started = self._clock.now(), time.monotonic()
        status, trace_id, word = 0, "", "no_answer"
        try:
            answer = self._wire.send(method, url, headers=authorized, body=body, call=f"quickbooks {purpose}")
            status, trace_id = answer.status, answer.headers.get("intuit_tid", "")
            result = _object(answer) if answer.status == 200 else None
            word = "ok" if result is not None else fault_of(answer).code or _unnamed(answer)
        finally:
            self._on_call(
                CallRecord(
                    provider="quickbooks",
                    purpose=purpose,
                    result=word,
                    status=status,
                    started_at=started_at,
                    duration_s=time.monotonic() - started,
                    trace_id=trace_id,
                )
            )
        return answer, result


def _object(answer: Answer) -> Json | None:
    """The answer's JSON; None where a gateway answered for the API, with HTML or with a fault under status 200."""
    try:
        value = exact_json.loads(answer.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "Fault" not in value else None


def _unnamed(answer: Answer) -> str:
    return "garbled" if answer.status == 200 else f"http_{answer.status}"


def entity_of(answer: Json, entity: str) -> Json:
    """The object that an answer wraps. Raises: ProviderUnavailableError where it is missing."""
    found = answer.get(entity)
    if not isinstance(found, dict):
        raise ProviderUnavailableError(f"quickbooks answered without its {entity}")
    return found


def literal(value: str) -> str:
    """A string of the query language, its quotes and backslashes escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

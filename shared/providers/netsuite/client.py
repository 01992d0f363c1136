"""Calls of NetSuite's record and query services: let in, counted, reported, translated. No call is repeated here but
one: a request refused for its token is sent again with a fresh one, since it was not worked on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import urlencode

from shared.errors import AppError, ProviderUnavailableError
from shared.ports.time import Chance, Clock
from shared.providers import exact_json
from shared.providers.call_record import CallRecord, OnCall
from shared.providers.netsuite.access import Access
from shared.providers.netsuite.account import Account
from shared.providers.netsuite.errors import api_error, refusal_in
from shared.providers.netsuite.manifest import PROVIDER, TRACE_HEADER
from shared.providers.wire import Answer, Wire

Row = Mapping[str, str]
"""A row of an answer to SuiteQL: column (lower case) -> text. A column that is null is absent."""

PAGE_SIZE = 1000
MOST_PAGES = 100
"""SuiteQL gives 100,000 rows at most."""

UNAUTHORIZED = 401

_WRITING = {"content-type": "application/json", "x-netsuite-propertynamevalidation": "error"}
"""Fields it does not know are refused; its default is to leave them out without a word."""


class NetsuiteClient:
    """One account. Threads may share it as far as `slot` lets them."""

    def __init__(
        self,
        account: Account,
        access: Access,
        *,
        clock: Clock,
        chance: Chance,
        on_call: OnCall,
        slot: Callable[[], AbstractContextManager[None]] = nullcontext,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            slot: entered around every request, which is what NetSuite counts: the account's requests under way, ours
                and everybody else's. It raises RateLimitedError where no slot is free.
            wire: connections to share with others; own ones if left out.
        """
        self.account = account
        self._access = access
        self._clock = clock
        self._chance = chance
        self._on_call = on_call
        self._slot = slot
        self._wire = wire or Wire()

    def get(
        self, path: str, *, purpose: str, params: Mapping[str, str] | None = None, accept: str = "application/json"
    ) -> dict[str, Any]:
        """Read a resource below services/rest, such as "record/v1/invoice/12".

        Raises:
            ConnectionRevokedError, AdminActionError, RateLimitedError, ProviderUnavailableError.
            NotFoundError, AlreadyExistsError; InputError for what a person can correct; PermanentError for a request
            that we should not have made.
        """
        return self._content(self._call("GET", path, purpose, params=params, headers={"accept": accept}), purpose)

    def write(self, method: str, path: str, body: Mapping[str, Any], *, purpose: str) -> str:
        """Create or upsert a record; return its id. NetSuite says no more than where it is.

        Raises: what `get` raises. After ProviderUnavailableError it is open whether NetSuite acted.
        Source: 204 with Location ".../record/v1/invoice/12".
        """
        answer = self._call(method, path, purpose, headers=_WRITING, body=exact_json.dumps(body))
        record_id = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not record_id.isdecimal():
            raise ProviderUnavailableError(f"netsuite {purpose} answered {answer.status} without saying which record")
        return record_id

    def change(self, path: str, body: Mapping[str, Any], *, purpose: str, replacing: str = "") -> None:
        """Change fields of a record. Lines of a sublist are added to those there are, unless it is the one replaced.

        Args:
            replacing: a sublist whose old lines go.
        Raises: what `write` raises.
        """
        params = {"replace": replacing} if replacing else None
        self._call("PATCH", path, purpose, params=params, headers=_WRITING, body=exact_json.dumps(body))

    def query(self, suiteql: str, *, purpose: str) -> list[Row]:
        """All rows. The query must order by something that does not change while its pages are read.

        Raises: what `get` raises; UnknownTableError for a table that the account lacks or the role may not see.
        Source: POST query/v1/suiteql -> {"items": [{"links": [], "id": "5"}], "hasMore", "count", "offset"}.
        """
        rows: list[Row] = []
        headers = {"content-type": "application/json", "prefer": "transient"}
        for page in range(MOST_PAGES):
            params = {"limit": str(PAGE_SIZE), "offset": str(page * PAGE_SIZE)}
            body = exact_json.dumps({"q": suiteql})
            answer = self._call("POST", "query/v1/suiteql", purpose, params=params, headers=headers, body=body)
            content = self._content(answer, purpose)
            rows += [_row(item) for item in content.get("items", [])]
            if not content.get("hasMore"):
                return rows
        raise ProviderUnavailableError(f"netsuite {purpose} has more than {MOST_PAGES * PAGE_SIZE} rows")

    def _call(
        self,
        method: str,
        path: str,
        purpose: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str],
        body: str | None = None,
    ) -> Answer:
        url = f"{self.account.rest_url}/{path}" + (f"?{urlencode(params)}" if params else "")
        answer = self._send(method, url, headers, body, purpose)
        if answer.status == UNAUTHORIZED and self._access.renewable:
            self._access.renew()
            answer = self._send(method, url, headers, body, purpose)
        if not 200 <= answer.status < 300:
            raise self._error(answer, purpose)
        return answer

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None, purpose: str) -> Answer:
        authorized = {**headers, "authorization": self._access.header(method, url)}
        with self._slot():
            started_at, begin = self._clock.now(), time.monotonic()
            try:
                answer = self._wire.send(method, url, headers=authorized, body=body, call=f"netsuite {purpose}")
            except ProviderUnavailableError:
                self._on_call(CallRecord(PROVIDER, purpose, "no_answer", 0, started_at, time.monotonic() - begin))
                raise
        succeeded = 200 <= answer.status < 300
        result = "ok" if succeeded else refusal_in(answer).code or str(answer.status)
        trace_id = answer.headers.get(TRACE_HEADER, "")
        duration_s = time.monotonic() - begin
        self._on_call(CallRecord(PROVIDER, purpose, result, answer.status, started_at, duration_s, trace_id))
        return answer

    def _content(self, answer: Answer, purpose: str) -> dict[str, Any]:
        try:
            content = exact_json.loads(answer.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ProviderUnavailableError(f"netsuite {purpose} answered {answer.status} with a garbled body")
        return content

    def _error(self, answer: Answer, purpose: str) -> AppError:
        return api_error(
            answer,
            purpose=purpose,
            renewable=self._access.renewable,
            now=self._clock.now(),
            fraction=self._chance.fraction(),
        )


def _row(item: Mapping[str, Any]) -> Row:
    return {name.lower(): str(value) for name, value in item.items() if name != "links" and value is not None}

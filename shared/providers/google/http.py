"""Calls of Google's APIs: built by the client library from pruned documents, refused in our errors.

The library describes requests; it does not send them. Its own sending logs error bodies and raises errors that quote
URLs, and in URLs there are search words and addresses.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.errors import AppError, ProviderUnavailableError
from shared.ports.time import Chance, Clock
from shared.providers.google import batch as framing
from shared.providers.google.batch import ApiRequest
from shared.providers.google.errors import NO_STATUS, api_error
from shared.providers.google.prices import GMAIL_UNITS
from shared.providers.wire import Answer, Wire

Token = Callable[[bool], str]
"""Gives an access token; called with True it must be a newer one than Google just refused."""

MAX_PARTS = 10
"""Parts of one batch. Google takes 100, but runs them side by side, and refuses about the eleventh call in flight for
one user with 429 "Too many concurrent requests"."""

Service = Any
"""A service of the client library, which makes its methods at run time: no type describes it."""

UNAUTHORIZED = 401


class Usage:
    """How often each method was called, and the quota units that cost.

    A refused call counts; its repeat after a refused token does not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def add(self, method: str) -> None:
        with self._lock:
            self._calls[method] += 1

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls by discovery method id."""
        with self._lock:
            return dict(self._calls)

    @property
    def units(self) -> int:
        """Gmail quota units. Calendar counts requests, not units."""
        return sum(count * GMAIL_UNITS.get(method, 0) for method, count in self.calls.items())


class GoogleHttp:
    """Gmail and Calendar on behalf of one account. Threads may share it."""

    def __init__(
        self,
        token: Token,
        *,
        clock: Clock,
        chance: Chance,
        root_url: str | None = None,
        wire: Wire | None = None,
        usage: Usage | None = None,
    ) -> None:
        """Nothing is sent and no client is loaded until the first call.

        Args:
            token: see `Token`. Its errors pass through.
            root_url: replaces https://gmail.googleapis.com and https://www.googleapis.com, batches included.
            wire: connections to share with others; own ones if left out.
            usage: counts into this one; a new one if left out.
        """
        self.usage = usage or Usage()
        self._token = token
        self._clock = clock
        self._chance = chance
        self._root_url = root_url
        self._wire = wire or Wire()
        self._services: dict[str, Service] = {}
        self._batch_urls: dict[str, str] = {}

    @property
    def gmail(self) -> Service:
        """The client library's Gmail service, for building requests; discovery/prune.py lists its methods."""
        return self._service("gmail", "v1")

    @property
    def calendar(self) -> Service:
        """The client library's Calendar service, for building requests."""
        return self._service("calendar", "v3")

    def call(self, request: ApiRequest, *, cursor_lost_on: frozenset[int] = NO_STATUS) -> dict[str, Any]:
        """Send one request that `gmail` or `calendar` built; return its JSON, {} for an empty answer.

        A refused token is refreshed and tried once more; nothing else is repeated here, the queue does that.

        Args:
            cursor_lost_on: statuses that mean CursorExpiredError for this call.
        Raises:
            ConnectionRevokedError: a permission was not granted; the person must reconnect.
            AdminActionError: with the catalogue's id in `reason`.
            RateLimitedError: with `resume_at`, Google's own where it gave one.
            ProviderUnavailableError: 5xx, 401 after a refresh, no or garbled answer.
            NotFoundError, CursorExpiredError, ForbiddenError; PermanentError for a request Google calls wrong.
        """
        self.usage.add(request.methodId)
        answer = self._send_authorized(request.method, request.uri, request.headers, request.body, request.methodId)
        result = self._result(request, answer, cursor_lost_on)
        if isinstance(result, AppError):
            raise result
        return result

    def batch(self, requests: Sequence[ApiRequest]) -> list[dict[str, Any] | AppError]:
        """Send requests of one service, at most 10 at a time; give each one's JSON or error, in order.

        Raises: what `call` raises, if a whole batch is refused or not answered.
        """
        for request in requests:
            self.usage.add(request.methodId)
        results: list[dict[str, Any] | AppError] = []
        for start in range(0, len(requests), MAX_PARTS):
            part = requests[start : start + MAX_PARTS]
            answers = self._send_batch(part)
            refused = [n for n, answer in enumerate(answers) if answer is not None and answer.status == UNAUTHORIZED]
            if refused:
                again = self._send_batch([part[n] for n in refused], refresh=True)
                for n, answer in zip(refused, again, strict=True):
                    answers[n] = answer
            results.extend(self._result(request, answer) for request, answer in zip(part, answers, strict=True))
        return results

    def _send_batch(self, requests: Sequence[ApiRequest], *, refresh: bool = False) -> list[Answer | None]:
        api = requests[0].methodId.split(".")[0]
        call = f"{api}.batch"
        content_type, body = framing.encoded(requests)
        headers = {"content-type": content_type}
        answer = self._send_authorized("POST", self._batch_urls[api], headers, body, call, refresh=refresh)
        if answer.status != 200:
            raise self._error(answer, call)
        return framing.decoded(answer, len(requests))

    def _send_authorized(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: str | bytes | None,
        call: str,
        *,
        refresh: bool = False,
    ) -> Answer:
        authorized = {**headers, "authorization": f"Bearer {self._token(refresh)}"}
        answer = self._wire.send(method, url, headers=authorized, body=body, call=call)
        if answer.status == UNAUTHORIZED and not refresh:
            return self._send_authorized(method, url, headers, body, call, refresh=True)
        return answer

    def _result(
        self, request: ApiRequest, answer: Answer | None, cursor_lost_on: frozenset[int] = NO_STATUS
    ) -> dict[str, Any] | AppError:
        if answer is None:
            return ProviderUnavailableError(f"{request.methodId} had no answer in its batch")
        if not 200 <= answer.status < 300:
            return self._error(answer, request.methodId, cursor_lost_on)
        if not answer.body.strip():
            return {}
        try:
            content = json.loads(answer.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return ProviderUnavailableError(f"{request.methodId} answered {answer.status} with a garbled body")
        return content

    def _error(self, answer: Answer, call: str, cursor_lost_on: frozenset[int] = NO_STATUS) -> AppError:
        return api_error(
            answer, call=call, now=self._clock.now(), fraction=self._chance.fraction(), cursor_lost_on=cursor_lost_on
        )

    def _service(self, api: str, version: str) -> Service:
        if api not in self._services:
            from googleapiclient.discovery import build_from_document

            logging.getLogger("googleapiclient.discovery").setLevel(logging.INFO)  # at DEBUG it logs every URL
            document = _document(f"{api}.{version}", self._root_url)
            self._batch_urls[api] = document["rootUrl"] + document["batchPath"]
            # The library wants something to send with, and falls back to default credentials without; it sends nothing.
            self._services[api] = build_from_document(document, http=self._wire)
        return self._services[api]


def _document(name: str, root_url: str | None) -> dict[str, Any]:
    """One of the pruned documents. Read anew each time, since the library writes into what it is given."""
    document: dict[str, Any] = json.loads((Path(__file__).parent / "discovery" / f"{name}.json").read_text("utf-8"))
    if root_url:
        # An `api_endpoint` option would move single calls only: batches would still go to Google.
        document["rootUrl"] = f"{root_url.rstrip('/')}/"
        document["baseUrl"] = document["rootUrl"] + document["servicePath"]
    return document

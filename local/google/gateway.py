"""From a request on the wire to Google's answer: find the call, check it, charge it, do it, check the answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs

from local.cloud.serving import log_lines
from local.google.accounts import Account, Accounts
from local.google.clock import Now
from local.google.discovery import Document, Match, Method, load_document
from local.google.errors import ApiError, Json, not_found, not_simulated
from local.google.faults import Fault, Faults
from local.google.quota import Quota
from local.google.service import Call, Service

_log = log_lines("google")


class Bearer(Protocol):
    """What an access token stands for."""

    @property
    def email(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...


class Bearers(Protocol):
    """Whoever knows the access tokens."""

    def bearer(self, token: str) -> Bearer | None:
        """Return what a live access token stands for; None for any other."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request, or one part of a batch. `path` is still percent-encoded."""

    http_method: str
    path: str
    query: str
    authorization: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `lost`: the work was done, and the connection must be closed without a word."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False

    @classmethod
    def of(cls, status: int, body: Json | None, headers: Mapping[str, str] | None = None) -> Answer:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        kind = {"Content-Type": "application/json; charset=UTF-8"} if content else {}
        return cls(status, content, {**kind, **(headers or {})})

    @classmethod
    def error(cls, error: ApiError) -> Answer:
        return cls.of(error.status, error.body(), error.headers)


class Mount:
    """A service in its place: its document, quota, and the lock under which it works."""

    def __init__(self, service: Service, now: Now) -> None:
        self.service = service
        self.document: Document = load_document(service.name, service.version)
        self.quota = Quota(service.quota, now)
        self.lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class _Prepared:
    mount: Mount
    method: Method
    call: Call


class Gateway:
    """All APIs behind one address. Safe to call from several threads."""

    def __init__(
        self, mounts: Sequence[Mount], *, bearers: Bearers, accounts: Accounts, faults: Faults, now: Now
    ) -> None:
        self.violations: list[str] = []
        """One sentence for every answer that broke its discovery document and for every crash: there should be none."""
        self._mounts = mounts
        self._bearers = bearers
        self._accounts = accounts
        self._faults = faults
        self._now = now

    def answer(self, request: WireRequest) -> Answer:
        """Answer one request."""
        try:
            prepared = self._prepare(request)
            with prepared.mount.quota.in_flight(prepared.call.account.email):
                return self._perform(prepared)
        except ApiError as error:
            return Answer.error(error)

    def answer_together(self, requests: Sequence[WireRequest]) -> list[Answer]:
        """Answer the parts of a batch, which all start at once: those beyond the limit in flight are refused."""
        with self._admitted(requests) as parts:
            return [part if isinstance(part, Answer) else self._performed(part) for part in parts]

    @contextmanager
    def _admitted(self, requests: Sequence[WireRequest]) -> Iterator[list[_Prepared | Answer]]:
        entered: list[_Prepared] = []
        parts: list[_Prepared | Answer] = []
        try:
            for request in requests:
                try:
                    prepared = self._prepare(request)
                    prepared.mount.quota.enter(prepared.call.account.email)
                except ApiError as error:
                    parts.append(Answer.error(error))
                else:
                    entered.append(prepared)
                    parts.append(prepared)
            yield parts
        finally:
            for prepared in entered:
                prepared.mount.quota.leave(prepared.call.account.email)

    def _performed(self, prepared: _Prepared) -> Answer:
        try:
            return self._perform(prepared)
        except ApiError as error:
            return Answer.error(error)

    def _prepare(self, request: WireRequest) -> _Prepared:
        mount, match = self._find(request)
        account, scopes = self._authenticate(request.authorization)
        if match.method.scopes and not scopes & match.method.scopes:
            raise ApiError(
                403,
                "insufficientPermissions",
                "Request had insufficient authentication scopes.",
                headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'},
            )
        query = parse_qs(request.query, keep_blank_values=True)
        body = _json_body(request.body)
        violations = mount.document.parameter_violations(match.method, query)
        violations += mount.document.request_violations(match.method, body)
        if violations:
            raise ApiError(400, "badRequest", "\n".join(violations))
        if "fields" in query or query.get("alt", ["json"]) != ["json"]:
            raise not_simulated("partial answers (fields) and answers that are not JSON (alt)")
        if match.method.id not in mount.service.calls:
            raise not_simulated(f"the call {match.method.id}")
        parameters = {**query, **{name: [value] for name, value in match.path_parameters.items()}}
        return _Prepared(
            mount, match.method, Call(match.method.id, account, scopes, parameters, body or {}, self._now())
        )

    def _find(self, request: WireRequest) -> tuple[Mount, Match]:
        for mount in self._mounts:
            if match := mount.document.match(request.http_method, request.path):
                return mount, match
        raise not_found(f"No API has {request.http_method} on this path.")

    def _authenticate(self, authorization: str) -> tuple[Account, frozenset[str]]:
        scheme, _, token = authorization.partition(" ")
        bearer = self._bearers.bearer(token) if scheme.lower() == "bearer" else None
        if bearer is None:
            raise ApiError(
                401,
                "authError",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                "valid authentication credential.",
                location=("header", "Authorization"),
                headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
            )
        return self._accounts.get(bearer.email), bearer.scopes

    def _perform(self, prepared: _Prepared) -> Answer:
        call, mount = prepared.call, prepared.mount
        fault = self._faults.take(call.method, call.account.email)
        if fault and fault.delay_s:
            time.sleep(fault.delay_s)
        if fault and fault.status is not None:
            return refused(fault)
        mount.quota.spend(call.account.email, call.method)
        body = self._work(prepared)
        return (
            Answer(0, b"", lost=True) if fault and fault.reply_lost else Answer.of(204 if body is None else 200, body)
        )

    def _work(self, prepared: _Prepared) -> Json | None:
        call, mount = prepared.call, prepared.mount
        try:
            with mount.lock:
                body = mount.service.calls[call.method](call)
        except ApiError:
            raise
        except Exception as crash:
            self._blame(f"{call.method} crashed: {type(crash).__name__}", crash)
        if violations := mount.document.response_violations(prepared.method, body):
            self._blame(f"{call.method} answered against its document: {violations[0]}", None)
        return body

    def _blame(self, sentence: str, crash: Exception | None) -> None:
        self.violations.append(sentence)
        _log.error(sentence, exc_info=crash)
        raise ApiError(500, "backendError", f"The simulator is wrong: {sentence}") from crash


def refused(fault: Fault) -> Answer:
    """The answer that a fault with a status asks for."""
    status = fault.status or 500
    if fault.body is not None:
        return Answer.of(status, fault.body, fault.headers)
    return Answer.error(ApiError(status, fault.reason, fault.message, headers=fault.headers))


def _json_body(content: bytes) -> Json | None:
    if not content.strip():
        return None
    try:
        body = json.loads(content)
    except ValueError as malformed:
        raise ApiError(400, "parseError", "Invalid JSON payload received. Unexpected token.") from malformed
    if not isinstance(body, dict):
        raise ApiError(400, "parseError", "Invalid JSON payload received. An object is expected.")
    return body

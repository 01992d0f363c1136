"""The simulated NetSuite as one object: books, door, roles, faults, limits and time, behind plain calls."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from local.google.clock import Clock, Now
from local.netsuite import representation, suiteql
from local.netsuite.bookkeeper import Bookkeeper
from local.netsuite.books import Books, Record
from local.netsuite.errors import (
    ApiError,
    ControlError,
    Json,
    insufficient_permission,
    not_simulated,
    user_error,
)
from local.netsuite.faults import Faults
from local.netsuite.gate import Gate
from local.netsuite.record_types import RecordType
from local.netsuite.seed import seed
from local.netsuite.tables import TABLES, Table
from shared.providers import exact_json

ADMINISTRATOR = "administrator"
LONGEST_PAGE = 1000

VIEW, FULL = "view", "full"


ACCOUNT_ID = "9876543_SB1"
TIME_ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the simulator is started with.

    folder: keeps books.json from one start to the next. concurrency: requests under way at one time, of the account.
    seed: of all randomness, so that a run can be repeated.
    """

    folder: Path
    account_id: str = ACCOUNT_ID
    time_zone: str = TIME_ZONE
    concurrency: int = 5
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """One call, let in already. parts: of its path below services/rest. parameters: of its query. root: the address of
    services/rest. strict: refuse unknown properties."""

    method: str
    parts: tuple[str, ...]
    role: str
    root: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    accept: str = "application/json"
    prefer: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """location: of a record that was written; there is no body then."""

    body: Json | None = None
    location: str = ""


class Simulator:
    """Everything behind the HTTP face.

    Args:
        base: the time under the clock's offset; the machine's by default.
    """

    def __init__(self, settings: Settings, *, base: Now | None = None) -> None:
        self.settings = settings
        self.account_id = settings.account_id
        self.clock = Clock(base)
        self.chance = random.Random(settings.seed)  # noqa: S311 - nothing here is secret, and runs must be repeatable
        self.zone = ZoneInfo(settings.time_zone)
        self.books = Books(self.clock, self.zone)
        self.gate = Gate(self.account_id, now=self.clock, chance=self.chance)
        self.bookkeeper = Bookkeeper(self.books)
        self.faults = Faults()
        self.roles: dict[str, dict[str, str]] = {}
        self.concurrency = settings.concurrency
        self.calls: dict[str, int] = {}
        self.lock = threading.RLock()
        self._under_way = 0
        self._load()

    # ------------------------------------------------------------------------------------------------------ requests

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Count a request as under way. Raises: ApiError 429 when the account has too many."""
        with self.lock:
            if self._under_way >= self.concurrency:
                raise ApiError(
                    429, "CONCURRENCY_LIMIT_EXCEEDED", "Request could not be processed: concurrency limit exceeded."
                )
            self._under_way += 1
        try:
            yield
        finally:
            with self.lock:
                self._under_way -= 1

    def operation(self, method: str, parts: tuple[str, ...]) -> str:
        """The name of a call, for faults and counts."""
        match parts:
            case ["query", "v1", "suiteql"]:
                return "suiteql"
            case ["record", "v1", "metadata-catalog", *_]:
                return "metadata.read"
            case ["record", "v1", kind]:
                return f"{kind}.{'create' if method == 'POST' else 'list'}"
            case ["record", "v1", kind, _, *rest]:
                verbs = {"GET": "read", "PUT": "upsert", "PATCH": "change", "DELETE": "delete", "POST": "transform"}
                return (
                    f"{kind}.{verbs.get(method, method.lower())}" if not rest or rest[0].startswith("!") else "unknown"
                )
        return "unknown"

    def answer(self, request: Request) -> Reply:
        """Do what was asked. Raises: ApiError."""
        operation = self.operation(request.method, request.parts)
        self.calls[operation] = self.calls.get(operation, 0) + 1
        reply = self._answer(request)
        if request.method != "GET" and operation != "suiteql":
            self.save()
        return reply

    def _answer(self, request: Request) -> Reply:
        match (request.method, request.parts):
            case ("POST", ["query", "v1", "suiteql"]):
                return Reply(self._query(request))
            case ("GET", ["record", "v1", "metadata-catalog", name]):
                return Reply(self._description(request, name))
            case ("GET", ["record", "v1", name]) if name != "metadata-catalog":
                return Reply(self._list(request, self._permitted(request, name, VIEW)))
            case ("GET", ["record", "v1", name, key]):
                kind = self._permitted(request, name, VIEW)
                expand = request.parameters.get("expandSubResources") == "true"
                return Reply(representation.shown(self.books, self.books.get(kind, key), request.root, expand=expand))
            case ("POST", ["record", "v1", name]):
                kind = self._permitted(request, name, FULL)
                return self._located(request, self.books.create(kind, _object(request.body), strict=request.strict))
            case ("PUT" | "PATCH", ["record", "v1", name, key]):
                return self._write(request, self._permitted(request, name, FULL), key)
            case ("DELETE", ["record", "v1", name, key]):
                self.books.delete(self.books.get(self._permitted(request, name, FULL), key))
                return Reply()
            case ("POST", ["record", "v1", "invoice", key, "!transform", "creditMemo"]):
                self._permitted(request, "creditMemo", FULL)
                invoice = self.books.get(self._permitted(request, "invoice", VIEW), key)
                credit = self.books.credit_in_full(invoice, _object(request.body or {}), strict=request.strict)
                return self._located(request, credit)
        raise not_simulated(f"{request.method} {'/'.join(request.parts)}")

    def _write(self, request: Request, kind: RecordType, key: str) -> Reply:
        body = _object(request.body)
        replaced = request.parameters.get("replace", "").split(",")
        if request.method == "PUT" and key.startswith("eid:"):
            record = self.books.upsert(kind, key[4:], body, strict=request.strict, replace=replaced)
        else:
            record = self.books.change(self.books.get(kind, key), body, strict=request.strict, replace=replaced)
        return self._located(request, record)

    def _located(self, request: Request, record: Record) -> Reply:
        return Reply(location=f"{request.root}/record/v1/{record.kind.name.lower()}/{record.id}")

    def _list(self, request: Request, kind: RecordType) -> Json:
        if set(request.parameters) - {"limit", "offset"}:
            raise not_simulated("a list with anything but limit and offset")
        records = list(self.books.all(kind.name))
        limit, offset = _page(request.parameters)
        address = f"{request.root}/record/v1/{kind.name}"
        items = [
            {"links": [{"rel": "self", "href": f"{address}/{record.id}"}], "id": record.id}
            for record in records[offset : offset + limit]
        ]
        return _paged(items, len(records), offset)

    def _description(self, request: Request, name: str) -> Json:
        if request.accept != "application/schema+json":
            raise not_simulated(f"metadata as {request.accept}")
        return self._permitted(request, name, VIEW).schema(self.books.hidden_fields())

    def _query(self, request: Request) -> Json:
        if request.prefer != "transient":
            detail = "The required request header 'Prefer' is missing or invalid; it must be 'transient'."
            raise ApiError(400, "INVALID_HEADER", detail, where="Prefer", place="o:errorHeader")
        query = _object(request.body).get("q")
        if not isinstance(query, str):
            raise user_error("The request body must have a query 'q'.")
        select = suiteql.parsed(query, self.zone)
        table = self._visible_table(request.role, select.table)
        unknown = sorted(select.used - table.columns)
        if unknown:
            raise suiteql.bad_query(f"Field '{unknown[0]}' for record '{select.table}' was not found")
        rows = [row for row in table.rows(self.books) if self._may(request.role, str(row.pop("_permission", "")), VIEW)]
        texts = suiteql.answered(select, rows, self.zone)
        limit, offset = _page(request.parameters)
        return _paged([{"links": [], **text} for text in texts[offset : offset + limit]], len(texts), offset)

    # --------------------------------------------------------------------------------------------------------- roles

    def _visible_table(self, role: str, name: str) -> Table:
        """A table that the role may not see does not exist for it."""
        table = TABLES.get(name)
        if table is None or (table.feature and table.feature not in self.books.features):
            raise suiteql.bad_query(f"Record '{name}' was not found")
        if not self._may(role, table.permission, VIEW):
            raise suiteql.bad_query(f"Record '{name}' was not found")
        return table

    def _permitted(self, request: Request, name: str, level: str) -> RecordType:
        kind = self.books.kind(name)
        if not self._may(request.role, kind.permission, level):
            raise insufficient_permission(kind.name)
        return kind

    def _may(self, role: str, permission: str, level: str) -> bool:
        if role == ADMINISTRATOR or not permission:
            return True
        return self.roles.get(role, {}).get(permission) in ({VIEW, FULL} if level == VIEW else {FULL})

    def set_role(self, role: str, permissions: Mapping[str, str]) -> None:
        """permissions: permission -> "view" or "full". Raises: ControlError."""
        wrong = set(permissions.values()) - {VIEW, FULL}
        if wrong or not role or role == ADMINISTRATOR:
            raise ControlError('a role has a name of its own and permissions of level "view" or "full"')
        self.roles[role] = dict(permissions)
        self.save()

    # -------------------------------------------------------------------------------------------------- keeping books

    def set_features(self, features: Collection[str]) -> None:
        self.books.features = set(features)

    def reset(self) -> None:
        """The books as they were at the first start; nobody is registered."""
        self.faults.clear()
        self.books.clear()
        self.gate.load({"certificates": [], "tokens": []})
        self.gate.expire_access_tokens()
        self.roles.clear()
        self.calls.clear()
        self.clock.offset_s = 0.0
        self.concurrency = self.settings.concurrency
        seed(self.books)
        self.save()

    def save(self) -> None:
        state = {"books": self.books.dump(), "gate": self.gate.dump(), "roles": self.roles}
        draft = self._path.with_suffix(".draft")
        draft.write_text(exact_json.dumps(state))
        draft.replace(self._path)

    def _load(self) -> None:
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            seed(self.books)
            return
        try:
            state = exact_json.loads(self._path.read_bytes())
            self.books.load(state["books"])
            self.gate.load(state["gate"])
            self.roles = state["roles"]
        except (json.JSONDecodeError, KeyError, TypeError) as wrong:
            raise ControlError(f"{self._path} does not hold books: {wrong}") from wrong

    @property
    def _path(self) -> Path:
        return self.settings.folder / "books.json"


def _object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise user_error("The request body is not a JSON object.")
    return body


def _page(parameters: Mapping[str, str]) -> tuple[int, int]:
    limit, offset = parameters.get("limit", str(LONGEST_PAGE)), parameters.get("offset", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= LONGEST_PAGE:
        raise ApiError(
            400, "INVALID_PARAMETER", "The limit must be 1 to 1000.", where="limit", place="o:errorQueryParam"
        )
    if not offset.isdecimal() or int(offset) % int(limit):
        detail = "The offset must be divisible by the limit."
        raise ApiError(400, "INVALID_PARAMETER", detail, where="offset", place="o:errorQueryParam")
    return int(limit), int(offset)


def _paged(items: list[Json], total: int, offset: int) -> Json:
    more = offset + len(items) < total
    return {
        "links": [],
        "count": len(items),
        "hasMore": more,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }

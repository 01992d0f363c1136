"""An in-memory Firestore: the `Documents` port with the semantics the real store has, and its bill.

Held to the Firestore adapter by tests/contracts/test_documents.py. Stored maps are never changed in place: a write
copies the maps along its path, so batches are atomic and readers need no lock on what they hold.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from threading import RLock
from typing import Any

from shared.errors import AlreadyExistsError, ProviderUnavailableError, StaleWriteError
from shared.platform.firestore.queries import check_query, full_order
from shared.platform.firestore.values import Value, check_document_path, check_size, checked, split_field_path, stored
from shared.ports.documents import (
    ID,
    Create,
    Delete,
    Document,
    Drop,
    Increment,
    Maximum,
    Merge,
    Op,
    Query,
    Remove,
    Replace,
    Union,
    Update,
    Version,
    Write,
)
from shared.ports.marks import reads

Fields = dict[str, Any]
SortKey = tuple[Any, ...]


class _Missing:
    """What a field is that is not there; None is a value."""


_MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class _Stored:
    fields: Fields
    version: int


class MemoryDocuments:
    """A whole database.

    reads, writes: what Firestore would bill: a document asked for or found (a query at least one), a write of a batch.
    commits: batches written. queries: the shape of every query asked, its values left out.
    down: while set, every call raises ProviderUnavailableError and does nothing.
    """

    def __init__(self, check_index: Callable[[Query], None] | None = None) -> None:
        """check_index: raises for a query that has no index."""
        self._check_index = check_index or (lambda _: None)
        self.reads = 0
        self.writes = 0
        self.commits = 0
        self.down = False
        self.queries: set[Query] = set()
        self._collections: dict[str, dict[str, _Stored]] = {}
        self._groups: defaultdict[str, set[str]] = defaultdict(set)
        self._versions = count(1)
        self._lock = RLock()

    # ------------------------------------------------------------------------------------------------------- reading

    @reads
    def get(self, path: str) -> Document | None:
        return self.get_all([path])[0]

    @reads
    def get_all(self, paths: Sequence[str]) -> list[Document | None]:
        for path in paths:
            check_document_path(path)
        with self._lock:
            self._check_up()
            self.reads += len(set(paths))
            found = [(path, self._stored(path)) for path in paths]
        return [_document(path, held) if held else None for path, held in found]

    @reads
    def find(self, query: Query) -> list[Document]:
        check_query(query)
        with self._lock:
            self._check_up()
            self._remember(query)
            rows = self._matching(query)
        rows = _page(query, rows)
        self.reads += max(1, len(rows))
        return [_document(path, held) for path, held in rows]

    @reads
    def count(self, query: Query) -> int:
        check_query(query)
        with self._lock:
            self._check_up()
            self._remember(query)
            rows = self._matching(query)
        number = len(_page(query, rows))
        self.reads += max(1, math.ceil(number / 1000))
        return number

    def paths(self) -> list[str]:
        """Every document there is, sorted; for tests that look at the whole."""
        with self._lock:
            return sorted(f"{name}/{id_}" for name, rows in self._collections.items() for id_ in rows)

    def dump(self) -> dict[str, Fields]:
        """Path -> fields of every document there is; for tests that compare two worlds."""
        with self._lock:
            return {
                f"{name}/{id_}": _copy(held.fields)
                for name, rows in sorted(self._collections.items())
                for id_, held in sorted(rows.items())
            }

    def _stored(self, path: str) -> _Stored | None:
        collection, _, id_ = path.rpartition("/")
        return self._collections.get(collection, {}).get(id_)

    def _matching(self, query: Query) -> list[tuple[str, _Stored]]:
        names = self._groups.get(query.collection, set()) if query.group else {query.collection}
        tests = [_condition(name, op, value) for name, op, value in query.where]
        ordered = [split_field_path(name) for name, _ in full_order(query) if name != ID]
        return [
            (path, held)
            for name in names
            for id_, held in self._collections.get(name, {}).items()
            for path in (f"{name}/{id_}",)
            if all(test(path, held.fields) for test in tests)
            and all(_lookup(held.fields, field) is not _MISSING for field in ordered)
        ]

    def _remember(self, query: Query) -> None:
        """Keep the shape alone, so that a test can ask whether firestore.indexes.json serves every query."""
        where = tuple((name, op, None) for name, op, _ in query.where)
        collection = query.collection.rsplit("/", 1)[-1]
        shape = Query(collection, where, query.order_by, group=query.group)
        if shape not in self.queries:
            self._check_index(query)
            self.queries.add(shape)

    # ------------------------------------------------------------------------------------------------------- writing

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        batch = [checked(write) for write in writes]
        with self._lock:
            self._check_up()
            draft: dict[str, _Stored | None] = {}
            versions: list[Version] = []
            stamp = next(self._versions)
            for write in batch:
                before = draft[write.path] if write.path in draft else self._stored(write.path)
                after = _applied(write, before, stamp)
                draft[write.path] = after
                versions.append(_version(after.version) if after else Version(""))
            for path, after in draft.items():
                self._put(path, after)
            self.writes += len(batch)
            self.commits += 1
            return versions

    def _put(self, path: str, held: _Stored | None) -> None:
        collection, _, id_ = path.rpartition("/")
        if held is not None:
            self._collections.setdefault(collection, {})[id_] = held
            self._groups[collection.rsplit("/", 1)[-1]].add(collection)
        elif rows := self._collections.get(collection):
            rows.pop(id_, None)

    def _check_up(self) -> None:
        if self.down:
            raise ProviderUnavailableError("the document store is down")


def _document(path: str, held: _Stored) -> Document:
    return Document(path, _copy(held.fields), _version(held.version))


def _copy(value: Value) -> Value:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _version(number: int) -> Version:
    return Version(f"{number:020d}")


# ------------------------------------------------------------------------------------------------------ one write


def _applied(write: Write, before: _Stored | None, stamp: int) -> _Stored | None:
    """The document after `write`; one that changes nothing keeps its version, as Firestore's update time does."""
    match write:
        case Create():
            if before is not None:
                raise AlreadyExistsError(f"{write.path} exists")
            fields = _merged({}, write.fields)
        case Update():
            if before is None or write.version not in (None, _version(before.version)):
                raise StaleWriteError(f"{write.path} changed or is gone")
            fields = before.fields
            for key, value in write.fields.items():
                fields = _with(fields, split_field_path(key), value)
        case Merge():
            fields = _merged(before.fields if before else {}, write.fields)
        case Replace():
            fields = _merged({}, write.fields)
        case Delete():
            if write.version is not None and (before is None or write.version != _version(before.version)):
                raise StaleWriteError(f"{write.path} changed or is gone")
            return None
    check_size(write.path, fields)
    if before is not None and _identical(before.fields, fields):
        return before
    return _Stored(fields, stamp)


def _merged(old: Fields, changes: Mapping[str, Any]) -> Fields:
    merged = dict(old)
    for name, value in changes.items():
        held = merged.get(name)
        if isinstance(value, dict) and value:
            if isinstance(held, dict) or not _only_drops(value):
                merged[name] = _merged(held if isinstance(held, dict) else {}, value)
        else:
            _set(merged, name, value)
    return merged


def _only_drops(value: Value) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(map(_only_drops, value.values()))
    return isinstance(value, Drop)


def _with(fields: Fields, path: tuple[str, ...], value: Value) -> Fields:
    """A copy of `fields` with one value changed. What is no map along the way becomes one."""
    name, rest = path[0], path[1:]
    changed = dict(fields)
    if not rest:
        _set(changed, name, value)
        return changed
    inner = fields.get(name)
    if isinstance(value, Drop) and not isinstance(inner, dict):
        return changed
    changed[name] = _with(inner if isinstance(inner, dict) else {}, rest, value)
    return changed


def _set(fields: Fields, name: str, value: Value) -> None:
    if isinstance(value, Drop):
        fields.pop(name, None)
    else:
        fields[name] = _transformed(fields.get(name, _MISSING), value)


def _transformed(old: Value, change: Value) -> Value:
    match change:
        case Increment(amount=amount):
            if not _is_number(old):
                return amount
            total = old + amount
            return max(-(2**63), min(2**63 - 1, total)) if isinstance(total, int) else total
        case Maximum(value=value):
            return old if _is_number(old) and old >= value else value
        case Union(values=values):
            kept = list(old) if isinstance(old, list) else []
            for value in values:
                if not _holds(kept, value):
                    kept.append(value)
            return kept
        case Remove(values=values):
            return [value for value in old if not _holds(values, value)] if isinstance(old, list) else []
        case _:
            return change


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds(values: Iterable[Any], wanted: Value) -> bool:
    key = order_key(wanted)
    return any(order_key(value) == key for value in values)


def _identical(one: Fields, other: Fields) -> bool:
    # Equal alone is not enough: Python takes True for 1 and 1 for 1.0.
    return one is other or (one == other and repr(one) == repr(other))


# -------------------------------------------------------------------------------------------------------- queries


def order_key(value: Value) -> SortKey:
    """Sorts values of all types as Firestore does: null, booleans, numbers, times, texts, bytes, lists, maps.

    Source: firebase.google.com/docs/firestore/manage-data/data-types, "Value type ordering".
    """
    match value:
        case None:
            return (0,)
        case bool():
            return (1, value)
        case int() | float():
            return (2, 0, 0) if value != value else (2, 1, value)
        case datetime():
            return (3, value)
        case str():
            return (4, value)
        case bytes():
            return (5, value)
        case list() | tuple():
            return (6, tuple(map(order_key, value)))
        case _:
            return (7, tuple((name, order_key(value[name])) for name in sorted(value)))


def _lookup(fields: Mapping[str, Any], path: tuple[str, ...]) -> Value:
    value: Any = fields
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _path_key(path: str) -> SortKey:
    return tuple(path.split("/"))


def _condition(name: str, op: Op, wanted: Value) -> Callable[[str, Fields], bool]:
    if name == ID:
        compare = _comparison(op, wanted, _path_key)
        return lambda path, _: compare(path)
    field = split_field_path(name)
    test = _comparison(op, wanted, order_key)

    def holds(path: str, fields: Fields) -> bool:
        value = _lookup(fields, field)
        return value is not _MISSING and test(value)

    return holds


def _comparison(op: Op, wanted: Value, key: Callable[[Any], SortKey]) -> Callable[[Any], bool]:
    if op == "in":
        keys = {key(item) for item in wanted}
        return lambda value: key(value) in keys
    goal = key(wanted)
    if op == "array_contains":
        return lambda value: isinstance(value, list) and any(key(item) == goal for item in value)
    if op == "==" and isinstance(wanted, str):
        return lambda value: bool(value == wanted)
    if op == "==":
        return lambda value: key(value) == goal
    by_op: dict[str, Callable[[SortKey], bool]] = {
        "<": lambda found: found < goal,
        "<=": lambda found: found <= goal,
        ">": lambda found: found > goal,
        ">=": lambda found: found >= goal,
    }
    compare = by_op[op]
    if key is _path_key:
        return lambda value: compare(key(value))
    # An inequality sees values of its own type alone.
    return lambda value: (found := key(value))[0] == goal[0] and compare(found)


def _page(query: Query, rows: list[tuple[str, _Stored]]) -> list[tuple[str, _Stored]]:
    order = full_order(query)
    paths = [(None if name == ID else split_field_path(name), descending) for name, descending in order]

    def keys(row: tuple[str, _Stored]) -> list[SortKey]:
        path, held = row
        return [_path_key(path) if field is None else order_key(_lookup(held.fields, field)) for field, _ in paths]

    keyed = [(keys(row), row) for row in rows]
    if query.start_after is not None:
        cursor = [
            _path_key(value) if name == ID else order_key(stored(value))
            for (name, _), value in zip(order, query.start_after, strict=False)
        ]
        keyed = [(found, row) for found, row in keyed if _is_after(found, cursor, [down for _, down in order])]
    descending = {down for _, down in order}
    if query.limit is not None and len(descending) == 1 and query.limit * 8 < len(keyed):
        pick = heapq.nlargest if descending == {True} else heapq.nsmallest
        return [row for _, row in pick(query.limit, keyed, key=lambda pair: pair[0])]
    for place in range(len(order) - 1, -1, -1):
        keyed.sort(key=lambda pair: pair[0][place], reverse=order[place][1])
    return [row for _, row in keyed][: query.limit]


def _is_after(found: list[SortKey], cursor: list[SortKey], descending: list[bool]) -> bool:
    for here, there, down in zip(found, cursor, descending, strict=False):
        if here != there:
            return (here < there) if down else (here > there)
    return False

"""What a document may hold, checked before anything is sent.

The store itself would refuse the same things, but late, and in words that name no field. The in-memory fake and the
Firestore adapter both check here, so a document that passes a unit test passes in production.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

from shared.ports.documents import Delete, Drop, Increment, Maximum, Merge, Remove, Union, Update, Write

DOCUMENT_LIMIT_BYTES = 1_048_576
MAX_DEPTH = 20
MAX_ID_BYTES = 1_500

Value: TypeAlias = Any
"""None, bool, int, float, str, bytes, aware datetime, and lists and maps of these."""

_RESERVED = re.compile(r"__.*__", re.DOTALL)
_TRANSFORMS = (Increment, Maximum, Union, Remove, Drop)
_ON_NEW_DOCUMENTS = (Increment, Maximum, Union, Remove)


class UnstorableError(ValueError):
    """A path or value that no document can have: our bug, to be seen at once."""


def checked(write: Write) -> Write:
    """Return `write` with plain, private copies of its values.

    Raises: UnstorableError.
    Source: firebase.google.com/docs/firestore/quotas, "Collections, documents and fields".
    """
    check_document_path(write.path)
    if isinstance(write, Delete):
        return write
    if isinstance(write, Update):
        return replace(write, fields=_checked_changes(write))
    allowed = _TRANSFORMS if isinstance(write, Merge) else _ON_NEW_DOCUMENTS
    fields = {_field_name(key): _plain(value, 1, write.path, allowed) for key, value in write.fields.items()}
    check_size(write.path, fields)
    return replace(write, fields=fields)


def _checked_changes(write: Update) -> dict[str, Any]:
    if not write.fields:
        raise UnstorableError(f"update of {write.path} changes nothing")
    paths = sorted(split_field_path(key) for key in write.fields)
    for shorter, longer in pairwise(paths):
        if longer[: len(shorter)] == shorter:
            raise UnstorableError(f"update of {write.path} names both {'.'.join(shorter)} and {'.'.join(longer)}")
    changes: dict[str, Any] = {}
    for key, value in write.fields.items():
        # A map given here replaces a map, so there is nothing old inside it that could be added to or dropped.
        allowed = _TRANSFORMS if isinstance(value, _TRANSFORMS) else ()
        changes[key] = _plain(value, len(split_field_path(key)), write.path, allowed)
    check_size(write.path, changes)
    return changes


@lru_cache(maxsize=2_000)  # the same few names in every write
def split_field_path(key: str) -> tuple[str, ...]:
    """ "readers.u1" -> ("readers", "u1"). A name within a path holds no dot."""
    return tuple(_field_name(name) for name in key.split("."))


def check_document_path(path: str) -> None:
    """Raises: UnstorableError unless it is "collection/id", any number of times."""
    parts = path.split("/")
    if len(parts) % 2:
        raise UnstorableError(f"{path!r} is not the path of a document")
    _check_ids(path, parts)


def check_collection_path(path: str) -> None:
    """Raises: UnstorableError unless it is "collection", or a document's path and a collection."""
    parts = path.split("/")
    if not len(parts) % 2:
        raise UnstorableError(f"{path!r} is not the path of a collection")
    _check_ids(path, parts)


def _check_ids(path: str, parts: list[str]) -> None:
    for part in parts:
        if part in {"", ".", ".."} or _RESERVED.fullmatch(part) or len(part.encode()) > MAX_ID_BYTES:
            raise UnstorableError(f"{path!r} has an id that is empty, reserved or too long")


def stored(value: Value) -> Value:
    """Return a plain private copy as the store would give it back: times in UTC, tuples as lists, exact types.

    Raises: UnstorableError, also for Increment and its like.
    """
    return _plain(value, 1, "value", ())


def _plain(value: Value, depth: int, where: str, allowed: tuple[type, ...]) -> Value:
    match value:
        case None | bool():
            return value
        case int():
            return _int64(value, where)
        case float():
            return float(value)
        case str():
            return str.__str__(value)
        case bytes():
            return bytes(value)
        case datetime():
            return _utc(value, where)
        case list() | tuple():
            _check_depth(depth, where)
            return [_list_item(item, depth + 1, where) for item in value]
        case Mapping():
            _check_depth(depth, where)
            return {_field_name(key): _plain(item, depth + 1, where, allowed) for key, item in value.items()}
        case _ if isinstance(value, allowed):
            return _transform(value, depth, where)
        case _:
            raise UnstorableError(f"{where}: {type(value).__name__} has no place here")


def _transform(transform: Value, depth: int, where: str) -> Value:
    match transform:
        case Increment(amount=number):
            return Increment(_int64(number, where))
        case Maximum(value=number):
            return Maximum(_int64(number, where))
        case Union(values=items) | Remove(values=items):
            return replace(transform, values=tuple(_list_item(item, depth + 1, where) for item in items))
        case _:
            return transform


def _list_item(item: Value, depth: int, where: str) -> Value:
    if isinstance(item, list | tuple):
        raise UnstorableError(f"{where}: a list inside a list")
    return _plain(item, depth, where, ())


def _int64(value: Value, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnstorableError(f"{where}: {type(value).__name__} where an integer belongs")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise UnstorableError(f"{where}: an integer beyond 64 bits")
    return number


def _utc(value: datetime, where: str) -> datetime:
    if value.tzinfo is None:
        raise UnstorableError(f"{where}: a time without a zone")
    utc = value.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC)


def _check_depth(depth: int, where: str) -> None:
    if depth > MAX_DEPTH:
        raise UnstorableError(f"{where}: maps and lists deeper than {MAX_DEPTH}")


def _field_name(name: Value) -> str:
    if not isinstance(name, str) or not name or _RESERVED.fullmatch(name) or len(name.encode()) > MAX_ID_BYTES:
        raise UnstorableError(f"{name!r} is not the name of a field")
    return str.__str__(name)


def check_size(path: str, fields: Mapping[str, Any]) -> None:
    """Raises: UnstorableError if a document of these fields would be over 1 MiB."""
    size = document_size(path, fields)
    if size > DOCUMENT_LIMIT_BYTES:
        raise UnstorableError(f"{path} would hold {size} bytes, over {DOCUMENT_LIMIT_BYTES}")


def document_size(path: str, fields: Mapping[str, Any]) -> int:
    """Bytes a document counts for.

    Source: firebase.google.com/docs/firestore/storage-size: each id and name is its UTF-8 length + 1, a document's name
    16 more, a document and a map 32 more.
    """
    return sum(_text_size(part) for part in path.split("/")) + 16 + _value_size(fields)


def _value_size(value: Value) -> int:
    match value:
        case None | bool():
            return 1
        case int() | float() | datetime():
            return 8
        case str():
            return _text_size(value)
        case bytes():
            return len(value)
        case list() | tuple():
            return sum(map(_value_size, value))
        case Mapping():
            return 32 + sum(_text_size(key) + _value_size(item) for key, item in value.items())
        case Union(values=items):
            return sum(map(_value_size, items))
        case Drop() | Remove():
            return 0
        case _:
            return 8


def _text_size(text: str) -> int:
    return (len(text) if text.isascii() else len(text.encode())) + 1

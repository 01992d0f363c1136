"""Domain dataclasses to document fields and back, by their type hints.

Firestore knows no dates, decimals, sets, tuples, enums or dataclasses: dates become ISO days, decimals their digits,
sets sorted lists, tuples lists, enums their values, nested dataclasses maps. Every document carries `v`; older shapes
are upgraded in memory by pure functions before they are decoded, and a newer one than this code knows is left alone
(D10).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from shared.errors import NewerDocumentError

T = TypeVar("T")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

VERSION = "v"


class Kind(typing.Generic[T]):
    """One kind of document: its dataclass, its version, and how older versions become the next one.

    upgrades[n] turns the fields of version n into those of n + 1; the newest version is len(upgrades) + 1.
    """

    def __init__(self, shape: type[T], upgrades: tuple[Upgrade, ...] = ()) -> None:
        self.shape = shape
        self.upgrades = upgrades
        self.version = len(upgrades) + 1

    def fields(self, value: T) -> dict[str, Any]:
        return {**encode(value), VERSION: self.version}

    def value(self, fields: Mapping[str, Any]) -> T:
        """Raises: NewerDocumentError."""
        return typing.cast(T, _decoder(typing.cast(Any, self.shape))(self.upgraded(fields)))

    def upgraded(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields in the newest shape. Raises: NewerDocumentError."""
        stored = int(fields.get(VERSION, 1))
        if stored > self.version:
            raise NewerDocumentError(f"{self.shape.__name__} v{stored} is newer than v{self.version}")
        current = dict(fields)
        for upgrade in self.upgrades[stored - 1 :]:
            current = upgrade(current)
        current[VERSION] = self.version
        return current


def encode(value: Any) -> Any:
    """A domain value as document fields."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime) or value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): encode(kept) for key, kept in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(encode(kept) for kept in value)
    if isinstance(value, tuple | list):
        return [encode(kept) for kept in value]
    return {name: encode(getattr(value, name)) for name in _names(typing.cast(Any, type(value)))}


@cache
def _names(shape: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclass_fields(shape))


@cache
def _decoder(hint: Any) -> Callable[[Any], Any]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [_decoder(kept) for kept in typing.get_args(hint) if kept is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"a document field has one shape or none, not {hint}")
        return lambda value: None if value is None else inner[0](value)
    if origin in (tuple, frozenset):
        item = _decoder(typing.get_args(hint)[0])
        return lambda value: origin(item(kept) for kept in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        item = _decoder(typing.get_args(hint)[1])
        return lambda value: {key: item(kept) for key, kept in value.items()}
    if isinstance(hint, type):
        if is_dataclass(hint):
            return _dataclass_decoder(hint)
        if issubclass(hint, Enum):
            return hint
        if hint is date:
            return date.fromisoformat
        if hint is Decimal:
            return Decimal
        if hint is float:
            return float
    return lambda value: value


def _dataclass_decoder(shape: type) -> Callable[[Mapping[str, Any]], Any]:
    hints = typing.get_type_hints(shape)
    decoders = {name: _decoder(hints[name]) for name in _names(typing.cast(Any, shape))}

    def decode(value: Mapping[str, Any]) -> Any:
        known = {name: decoder(value[name]) for name, decoder in decoders.items() if name in value}
        return shape(**known)

    return decode

"""A document's value together with the version it was read at."""

from __future__ import annotations

from typing import Generic, TypeVar

from shared.domain.values import dataclass
from shared.ports.documents import Document, Version
from shared.records.codec import Kind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A value and the version it was read at, for the guarded write that follows."""

    value: T
    version: Version


def stored(kind: Kind[T], document: Document | None) -> Stored[T] | None:
    return Stored(kind.value(document.fields), document.version) if document else None

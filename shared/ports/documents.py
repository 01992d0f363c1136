"""The one store: documents by path, written in guarded batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from shared.domain.values import dataclass
from shared.ports.marks import reads


@dataclass(frozen=True, slots=True)
class Version:
    """A document's update time as its store tells it; opaque, only compared for equality."""

    token: str


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document. `path` is "collection/id/collection/id"; `fields` hold None, bool, int, float, str, bytes,
    aware UTC datetimes, lists and maps of these."""

    path: str
    fields: Mapping[str, Any]
    version: Version

    @property
    def id(self) -> str:
        return self.path.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class Increment:
    """Add to a number; an absent field counts as 0."""

    amount: int


@dataclass(frozen=True, slots=True)
class Maximum:
    """Raise a number to at least this; an absent field becomes it. Numbers only: the store compares no times."""

    value: int


@dataclass(frozen=True, slots=True)
class Union:
    """Add to a list what it does not hold yet."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """Take every occurrence of these out of a list."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """Take the field away."""


@dataclass(frozen=True, slots=True)
class Create:
    """Write a new document; AlreadyExistsError if it is there."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """Change fields of an existing document. Keys are dotted field paths; a map given for a key replaces that map.

    StaleWriteError if the document is gone, or is not at `version` where one is given.
    """

    path: str
    fields: Mapping[str, Any]
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Create the document or merge into it, deeply. For facts that commute (Increment, Maximum, Union)."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replace:
    """Write the whole document, absent or not; fields it had and `fields` lacks are gone.

    Unguarded: only in a batch whose other writes guard what this one is built from.
    """

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the document, absent or not; with `version`, StaleWriteError unless it is at it."""

    path: str
    version: Version | None = None


Write = Create | Update | Merge | Replace | Delete

Op = Literal["==", "<", "<=", ">", ">=", "in", "array_contains"]

Conditions = tuple[tuple[str, Op, Any], ...]
"""Field path, operator, value; all of them hold."""

ID = "__name__"
"""The field path of a document's id in `order_by` (ties, and pages in id order)."""


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection ("tenants/t/contacts") or, with `group`, of every collection of that name.

    order_by: field names, "-" in front for descending. start_after: the order_by fields' values of the last document
    of the page before (for ID its path). Every combination used has an index in firestore.indexes.json.
    """

    collection: str
    where: Conditions = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    start_after: tuple[Any, ...] | None = None
    group: bool = False


class Documents(Protocol):
    """A document store with atomic, guarded batches. Source: Firestore's commit, runQuery and runAggregationQuery."""

    @reads
    def get(self, path: str) -> Document | None: ...

    @reads
    def get_all(self, paths: Sequence[str]) -> list[Document | None]:
        """In the order asked, None for what is absent. Any number of paths."""
        ...

    @reads
    def find(self, query: Query) -> list[Document]: ...

    @reads
    def count(self, query: Query) -> int: ...

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        """All or nothing; returns the new versions in order.

        Raises: AlreadyExistsError, StaleWriteError (nothing was written); ProviderUnavailableError (unknown: the
        caller must be safe to repeat).
        """
        ...

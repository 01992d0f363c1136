"""Hold a document under its lease: every write while holding it is a compare-and-set (D1).

A holder whose lease ran out and was taken by another finds its next commit refused, together with every row in it: a
zombie cannot write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from shared.domain.lease import Lease
from shared.errors import ContendedError, StaleWriteError
from shared.ports.documents import Version, Write
from shared.ports.time import Chance, Clock
from shared.records.store import TenantStore
from shared.records.stored import Stored


class Leasable(Protocol):
    """A frozen dataclass with a lease."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def lease(self) -> Lease: ...


T = TypeVar("T", bound=Leasable)


class Held(Generic[T]):
    """The document as its holder last wrote it."""

    def __init__(
        self, value: T, version: Version, updating: Callable[[T, Version], Write], store: TenantStore, clock: Clock
    ) -> None:
        self.value = value
        self._version = version
        self._updating = updating
        self._store = store
        self._clock = clock

    def commit(self, value: T, others: Sequence[Write] = ()) -> None:
        """Write the document, its lease renewed, and `others`, all or nothing.

        Raises: ContendedError if the lease is lost; with `others` StaleWriteError, because one of their guards may have
        failed as well, or AlreadyExistsError.
        """
        self._write(replace(value, lease=value.lease.renewed(self._clock.now())), others)

    def release(self, value: T, others: Sequence[Write] = ()) -> None:
        """The last commit of a run: as `commit`, and the lease is free."""
        self._write(replace(value, lease=value.lease.released()), others)

    def _write(self, value: T, others: Sequence[Write]) -> None:
        try:
            versions = self._store.commit([self._updating(value, self._version), *others])
        except StaleWriteError as stale:
            if others:
                raise
            raise ContendedError("the lease was lost") from stale
        self.value, self._version = value, versions[0]


def take_lease(
    stored: Stored[T] | None,
    updating: Callable[[T, Version], Write],
    *,
    store: TenantStore,
    clock: Clock,
    chance: Chance,
) -> Held[T] | None:
    """Take the lease of a document just read; None if somebody holds it, or was quicker. One write."""
    if stored is None or not stored.value.lease.free(clock.now()):
        return None
    value = replace(stored.value, lease=stored.value.lease.taken(chance.token(), clock.now()))
    try:
        versions = store.commit([updating(value, stored.version)])
    except StaleWriteError:
        return None
    return Held(value, versions[0], updating, store, clock)

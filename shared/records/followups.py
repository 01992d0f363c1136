"""The outbox and the quarantine of a tenant."""

from __future__ import annotations

from shared.domain.outbox import Promise
from shared.domain.quarantine import Parked, ParkedState
from shared.errors import NotFoundError
from shared.ports.documents import ID, Conditions, Create, Delete, Query, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

PROMISE: Kind[Promise] = Kind(Promise)
PARKED: Kind[Parked] = Kind(Parked)


class Outbox:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def find(self, promise_id: str) -> Stored[Promise] | None:
        return stored(PROMISE, self._store.get(f"outbox/{promise_id}"))

    def creating(self, promise: Promise) -> Write:
        return Create(f"outbox/{promise.promise_id}", PROMISE.fields(promise))

    def updating(self, promise: Promise, version: Version) -> Write:
        return Update(f"outbox/{promise.promise_id}", PROMISE.fields(promise), version)

    def keeping(self, promise_id: str) -> Write:
        """The promise is kept: its row goes."""
        return Delete(f"outbox/{promise_id}")


class Quarantine:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def find(self, parked_id: str) -> Stored[Parked] | None:
        return stored(PARKED, self._store.get(f"quarantine/{parked_id}"))

    def get(self, parked_id: str) -> Stored[Parked]:
        """Raises: NotFoundError."""
        found = self.find(parked_id)
        if found is None:
            raise NotFoundError(f"nothing is parked as {parked_id}")
        return found

    def parked(self, limit: int) -> list[Stored[Parked]]:
        """What waits, oldest first."""
        where: Conditions = (("state", "==", ParkedState.PARKED.value),)
        found = self._store.find(Query("quarantine", where=where, order_by=("parked_at",), limit=limit))
        return [Stored(PARKED.value(document.fields), document.version) for document in found]

    def page(self, *, after: Parked | None, limit: int) -> list[Stored[Parked]]:
        """What waits, oldest first; `after` is the last one of the page before."""
        where: Conditions = (("state", "==", ParkedState.PARKED.value),)
        start = (after.parked_at, f"quarantine/{after.parked_id}") if after else None
        query = Query("quarantine", where=where, order_by=("parked_at", ID), limit=limit, start_after=start)
        found = self._store.find(query)
        return [Stored(PARKED.value(document.fields), document.version) for document in found]

    def creating(self, parked: Parked) -> Write:
        return Create(f"quarantine/{parked.parked_id}", PARKED.fields(parked))

    def updating(self, parked: Parked, version: Version) -> Write:
        return Update(f"quarantine/{parked.parked_id}", PARKED.fields(parked), version)

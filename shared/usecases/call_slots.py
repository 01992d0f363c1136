"""A pool of leases for a vendor that serves only so many calls at once, however many instances of ours there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from shared import log
from shared.domain.lease import FREE, Lease
from shared.domain.values import dataclass
from shared.errors import AlreadyExistsError, ContendedError, RateLimitedError
from shared.ports.documents import Create, Update, Version, Write
from shared.ports.time import Chance, Clock
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import stored
from shared.usecases.lease import Held, take_lease

FULL_FOR = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the calls that may be under way. Its lease ends by itself where its holder died."""

    lease: Lease = FREE


SLOT: Kind[Slot] = Kind(Slot)


@contextmanager
def call_slot(store: TenantStore, connection_id: str, size: int, *, clock: Clock, chance: Chance) -> Iterator[None]:
    """Hold one of `size` slots of the connection. Raises: RateLimitedError while all are taken."""
    held = _take(store, connection_id, size, clock, chance)
    try:
        yield
    finally:
        try:
            held.release(held.value)
        except ContendedError:
            log.event("call_slot.overrun", severity="WARNING", tenant=store.tenant, connection=connection_id)


def _take(store: TenantStore, connection_id: str, size: int, clock: Clock, chance: Chance) -> Held[Slot]:
    first = int(chance.fraction() * size)
    for step in range(size):
        path = f"connections/{connection_id}/slots/{(first + step) % size}"
        held = _take_one(store, path, clock, chance)
        if held is not None:
            return held
    raise RateLimitedError(f"connection {connection_id} has {size} calls under way", resume_at=clock.now() + FULL_FOR)


def _take_one(store: TenantStore, path: str, clock: Clock, chance: Chance) -> Held[Slot] | None:
    def updating(slot: Slot, version: Version) -> Write:
        return Update(path, SLOT.fields(slot), version)

    known = stored(SLOT, store.get(path))
    if known is not None:
        return take_lease(known, updating, store=store, clock=clock, chance=chance)
    taken = Slot(FREE.taken(chance.token(), clock.now()))
    try:
        versions = store.commit([Create(path, SLOT.fields(taken))])
    except AlreadyExistsError:
        return None
    return Held(taken, versions[0], updating, store, clock)

"""Let parked things run again, one or all of them, after their cause was mended (I4)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.quarantine import Parked
from shared.domain.values import dataclass
from shared.errors import ContendedError, InputError
from shared.ports.tasks import Tasks
from shared.ports.time import Clock
from shared.records.followups import Quarantine
from shared.records.store import TenantStore
from shared.usecases.operations.operator import OPERATOR
from shared.usecases.quarantine import replay

PAGE = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """stuck: ids of entries with nothing to run again, or that changed meanwhile."""

    replayed: int
    stuck: tuple[str, ...]


def parked_entries(store: TenantStore, *, kind: str | None = None) -> Iterator[Parked]:
    """Everything that waits, oldest first, read page by page."""
    after: Parked | None = None
    while True:
        page = Quarantine(store).page(after=after, limit=PAGE)
        yield from (stored.value for stored in page if kind in (None, stored.value.kind))
        if len(page) < PAGE:
            return
        after = page[-1].value


def replay_parked(store: TenantStore, *, tasks: Tasks, clock: Clock, limit: int, kind: str | None = None) -> Replayed:
    """Queue up to `limit` entries again, oldest first. An entry that fails again is parked again, and counted."""
    replayed, stuck = 0, []
    for entry in parked_entries(store, kind=kind):
        if replayed >= limit:
            break
        try:
            replay(store, entry.parked_id, OPERATOR, tasks=tasks, clock=clock)
            replayed += 1
        except (InputError, ContendedError):
            stuck.append(entry.parked_id)
    return Replayed(replayed, tuple(stuck))

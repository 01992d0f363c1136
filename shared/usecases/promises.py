"""Keep what was promised in a commit: queue its task, delete its row when done, queue it again when it was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared import log
from shared.domain.outbox import OVERDUE_AFTER, Promise
from shared.errors import StaleWriteError
from shared.ports.documents import Documents
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock
from shared.records.followups import Outbox
from shared.records.store import TenantStore
from shared.records.sweeps import promised_before


def keep_promise_tasks(promises: Iterable[Promise]) -> list[Task]:
    """One task for each; its payload names the promise, so that the worker can tell it is kept."""
    return [
        Task(kept.queue, kept.function, kept.task_name, {**kept.payload, "promise": kept.promise_id}, kept.promised_at)
        for kept in promises
    ]


def keep_promise(store: TenantStore, promise_id: str, work: Callable[[], object]) -> None:
    """Run the work of a promise and delete its row. A promise that is kept already is done.

    A crash after the work runs it again, so the work is harmless the second time.
    """
    outbox = Outbox(store)
    if outbox.find(promise_id) is None:
        return
    work()
    store.commit([outbox.keeping(promise_id)])


def sweep_outbox(documents: Documents, *, tasks: Tasks, clock: Clock) -> int:
    """Queue again what was promised over five minutes ago and is not kept; returns how many."""
    now = clock.now()
    swept = 0
    for found in promised_before(documents, now - OVERDUE_AFTER):
        store = TenantStore(documents, found.tenant)
        outbox = Outbox(store)
        stored = outbox.find(found.segment(1))
        if stored is None or stored.value.promised_at > now - OVERDUE_AFTER:
            continue
        again = stored.value.again(now)
        try:
            store.commit([outbox.updating(again, stored.version)])
        except StaleWriteError:
            continue  # another sweep, or its worker, was quicker
        tasks.create(keep_promise_tasks([again]))
        _tell_overdue(store.tenant, again)
        swept += 1
    if swept:
        log.event("outbox.swept", severity="WARNING", promises=swept)
    return swept


def _tell_overdue(tenant: str, again: Promise) -> None:
    """A line each: an alert counts one function's. The fourth revision comes a quarter of an hour late or more."""
    promise_id, function = again.promise_id, again.function
    log.event(
        "promise.overdue", severity="WARNING", tenant=tenant, promise=promise_id, function=function, rev=again.rev
    )

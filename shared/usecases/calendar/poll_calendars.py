"""What a poll does for a mailbox's calendars: bring back lost rebuilds, then read whatever pushes did (G29, D2)."""

from __future__ import annotations

from shared.domain.calendar.copy import REBUILD_OVERDUE_AFTER, EventCopy
from shared.errors import StaleWriteError
from shared.records.mailboxes import Mailboxes
from shared.usecases.calendar.queue_work import Cause, rebuild_tasks, sync_task
from shared.usecases.calendar.served import ServedCalendars

OVERDUE_A_POLL = 300


def poll_calendars(served: ServedCalendars, *, slot: str) -> None:
    """slot: which poll this is; asked twice for one slot it queues once."""
    if not Mailboxes(served.store).get(served.mailbox_id).value.served:
        return
    requeue_overdue_copies(served)
    served.tasks.create(
        [
            sync_task(served.store.tenant, served.mailbox_id, stream.stream_id, Cause.POLL, slot)
            for stream in served.streams.all()
            if not stream.closed
        ]
    )


def requeue_overdue_copies(served: ServedCalendars) -> int:
    """Queue the rebuilds again that rows have waited for over five minutes; returns how many rows waited."""
    now = served.clock.now()
    overdue = served.copies.waiting_before(now - REBUILD_OVERDUE_AFTER, OVERDUE_A_POLL)
    again: list[EventCopy] = []
    for row in overdue:
        requeued = row.value.queued_again(now)
        try:
            served.store.commit([served.copies.requeueing(requeued, row.version)])
        except StaleWriteError:
            continue  # it was built, or stated anew, meanwhile
        again.append(requeued)
    served.tasks.create(rebuild_tasks(served.store.tenant, served.mailbox_id, again))
    if overdue:
        served.warn("copies.requeued", rows=len(overdue))
    return len(overdue)

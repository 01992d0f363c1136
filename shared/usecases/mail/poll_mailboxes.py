"""Queue a poll of every served mailbox: now minus the last good reading stays under ten minutes (I5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.ids import digest
from shared.ports.documents import Documents
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock
from shared.records.sweeps import served_mailboxes

NEXT_POLL_IN = timedelta(minutes=5)


def poll_mailboxes(documents: Documents, *, tasks: Tasks, slot: datetime) -> int:
    """One task per mailbox and slot (the time the job was meant to run); returns how many."""
    polls = [
        Task(
            queue="mailbox-sync",
            function="mailbox_sync",
            name=digest("mailbox-poll", found.tenant, found.segment(1), slot.isoformat()),
            payload={"tenant": found.tenant, "mailbox": found.segment(1), "wish": None, "poll": slot.isoformat()},
        )
        for found in served_mailboxes(documents)
    ]
    tasks.create(polls)
    return len(polls)


def poll_is_over(slot: str, clock: Clock) -> bool:
    """Whether the next poll is there: one that could not be done in its time leaves it to that.

    Otherwise an outage of an hour would end with twelve polls of every mailbox at once.
    """
    return clock.now() >= datetime.fromisoformat(slot) + NEXT_POLL_IN

"""What a poll does for one mailbox: bring back lost tasks, then read history whatever pushes did (I5, D2)."""

from __future__ import annotations

from shared.domain.ledger import LOST_AT_MOST, QUEUED_TOO_LONG, SeenRow
from shared.errors import StaleWriteError
from shared.records.mailboxes import Mailboxes
from shared.records.stored import Stored
from shared.usecases.mail.backfill_mailbox import resume_backfill
from shared.usecases.mail.quarantine_message import quarantine_message
from shared.usecases.mail.queue_work import ingest_task
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.mail.sync_mailbox import sync_mailbox

OVERDUE_A_POLL = 300


def poll_mailbox(served: ServedMailbox) -> None:
    """Raises: what sync_mailbox raises."""
    if not Mailboxes(served.store).get(served.mailbox_id).value.served:
        return
    requeue_overdue(served)
    resume_backfill(served)
    sync_mailbox(served, wish=None)


def requeue_overdue(served: ServedMailbox) -> int:
    """Queue rows again whose task is overdue for five minutes; returns how many.

    The new revision makes the old task, should it still come, find nothing to do.
    """
    before = served.clock.now() - QUEUED_TOO_LONG
    rows = served.seen.queued_before(before, OVERDUE_A_POLL)
    for row in rows:
        if row.value.lost >= LOST_AT_MOST:
            quarantine_message(served, row, f"its task was lost {LOST_AT_MOST} times")
        else:
            _requeue(served, row)
    if rows:
        served.warn("messages.requeued", rows=len(rows))
    return len(rows)


def _requeue(served: ServedMailbox, row: Stored[SeenRow]) -> None:
    again = row.value.retried(served.clock.now())
    try:
        served.store.commit([served.seen.updating(again, row.version)])
    except StaleWriteError:
        return  # it was settled meanwhile
    served.tasks.create([ingest_task([again], served, None)])

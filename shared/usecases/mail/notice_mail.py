"""A notice came: wake the sync of every mailbox with that address (I7). A hint writes nothing."""

from __future__ import annotations

from datetime import timedelta

from shared import log
from shared.domain.mail.addresses import normalize
from shared.ports.tasks import Tasks
from shared.ports.time import Clock
from shared.records.routes import Routes
from shared.usecases.mail.queue_work import sync_task

PUSHES_APART = timedelta(seconds=1)
"""Gmail sends one notice a second and mailbox, and drops the others."""


def notice_mail(address: str, history_id: int, *, routes: Routes, tasks: Tasks, clock: Clock) -> None:
    """Two tasks per tenant that serves the mailbox; a doubled notice is no further task.

    One reads up to the history id now. The other looks once more when the second is over in which Gmail drops notices:
    without it, what happened within that second would wait for the poll.
    """
    targets = routes.targets("gmail", normalize(address))
    later = clock.now() + 1.5 * PUSHES_APART
    slot = int(later.timestamp())
    woken = [sync_task(target.tenant, target.mailbox_id, history_id, wish=history_id) for target in targets]
    woken += [
        sync_task(target.tenant, target.mailbox_id, "after", slot, wish=None, not_before=later) for target in targets
    ]
    tasks.create(woken)
    if not targets:
        log.event("notice.not_ours", severity="INFO")

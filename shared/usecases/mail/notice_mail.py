"""A notice came: wake the sync of every mailbox with that address (I7). A hint writes nothing."""

from __future__ import annotations

from shared import log
from shared.domain.mail.addresses import normalize
from shared.ports import Tasks
from shared.records.routes import Routes
from shared.usecases.mail.queue_work import sync_task


def notice_mail(address: str, history_id: int, *, routes: Routes, tasks: Tasks) -> None:
    """One task per tenant that serves the mailbox and history id; a doubled notice is no second task."""
    targets = routes.targets("gmail", normalize(address))
    woken = [sync_task(target.tenant, target.mailbox_id, history_id, wish=history_id) for target in targets]
    tasks.create(woken)
    if not targets:
        log.event("notice.not_ours", severity="INFO")

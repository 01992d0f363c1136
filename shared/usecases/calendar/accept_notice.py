"""Take a channel's notice: prove it, queue the calendar's reading, and nothing else (I7, I25)."""

from __future__ import annotations

from collections.abc import Callable

from shared.domain.calendar.stream import ChannelNotice
from shared.errors import ProofError
from shared.ports.tasks import Tasks
from shared.records.calendar import CalendarStreams
from shared.records.routes import Routes
from shared.records.store import TenantStore
from shared.usecases.calendar.queue_work import Cause, sync_task
from shared.usecases.calendar.renew_channel import ROUTE


def accept_notice(
    notice: ChannelNotice, *, routes: Routes, store_of: Callable[[str], TenantStore], tasks: Tasks
) -> None:
    """A notice is a hint: one that comes twice, late or out of order asks for a reading that finds nothing new.

    Raises: ProofError for a channel that is not ours (any more), or a wrong token; nothing was written.
    """
    for target in routes.targets(ROUTE, notice.channel_id):
        store = store_of(target.tenant)
        watch = CalendarStreams(store, target.mailbox_id).watch(target.detail)
        channel = watch.value.channel_named(notice.channel_id) if watch else None
        if channel is None or not channel.proven_by(notice):
            continue
        if not notice.opening:
            ids = (target.tenant, target.mailbox_id, target.detail)
            tasks.create([sync_task(*ids, Cause.PUSH, notice.channel_id, notice.number)])
        return
    raise ProofError("no channel of ours has this id, token and resource")

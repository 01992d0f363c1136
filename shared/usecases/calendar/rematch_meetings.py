"""After addresses or settings changed: make meetings follow (R7, G14).

Meetings that are stored are rebuilt from what is stored. Those that were left out because nobody knew the guest are
read anew: a whole reading of a calendar takes a call for each 250 events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from shared.ports.tasks import Tasks
from shared.ports.time import Clock
from shared.records.calendar import CalendarStreams, Copies, Events
from shared.records.mailboxes import Mailboxes
from shared.records.store import TenantStore
from shared.usecases.calendar.queue_work import Cause, rebuild_task, sync_task

EVENTS_A_PAGE = 300

REREAD_SLOT_S = 120


def rematch_meetings(store: TenantStore, keys: Iterable[str], *, cause: str, tasks: Tasks) -> int:
    """Queue a rebuild of every stored meeting that names one of the addresses, old or new; returns how many.

    keys: participant keys of the addresses. cause: what makes this change new; asked twice for one cause it queues
    once.
    """
    meeting_ids = {meeting_id for key in keys for meeting_id in _meetings_naming(store, key)}
    tasks.create([rebuild_task(store.tenant, meeting_id, "rematch", cause) for meeting_id in sorted(meeting_ids)])
    return len(meeting_ids)


def _meetings_naming(store: TenantStore, key: str) -> Iterable[str]:
    after: str | None = None
    while True:
        page = Events(store).of_participant(key, after=after, limit=EVENTS_A_PAGE)
        yield from (occurrence.meeting_id for occurrence in page)
        if len(page) < EVENTS_A_PAGE:
            return
        after = page[-1].event_id


def rebuild_meetings_of(store: TenantStore, mailbox_id: str, *, cause: str, tasks: Tasks) -> int:
    """Queue a rebuild of every meeting a mailbox holds, after its user changed what they share or never log."""
    copies, queued = Copies(store, mailbox_id), 0
    after: str | None = None
    while True:
        page = copies.logged(after=after, limit=EVENTS_A_PAGE)
        meeting_ids = {row.meeting_id for row in page if row.meeting_id}
        tasks.create([rebuild_task(store.tenant, meeting_id, "settings", cause) for meeting_id in sorted(meeting_ids)])
        queued += len(meeting_ids)
        if len(page) < EVENTS_A_PAGE:
            return queued
        after = page[-1].copy_id


def reread_calendars(store: TenantStore, *, tasks: Tasks, clock: Clock, mailbox_id: str | None = None) -> int:
    """Queue a whole reading of every calendar that is followed, or of one mailbox's, under a new generation; returns
    how many.

    One reading serves every address that became known before it begins. It begins when the current slot of two minutes
    is over, so that the contacts of an import cause one and not one each.
    """
    slot = int(clock.now().timestamp()) // REREAD_SLOT_S + 1
    start = datetime.fromtimestamp(slot * REREAD_SLOT_S, UTC)
    queued = [
        replace(
            sync_task(store.tenant, mailbox.mailbox_id, stream.stream_id, Cause.REREAD, str(slot)), not_before=start
        )
        for mailbox in Mailboxes(store).all()
        if mailbox.served and mailbox_id in (None, mailbox.mailbox_id)
        for stream in CalendarStreams(store, mailbox.mailbox_id).all()
        if not stream.closed
    ]
    tasks.create(queued)
    return len(queued)

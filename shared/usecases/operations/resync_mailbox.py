"""Read a mailbox again: its history now, and the whole window compared with the ledger, in pieces (I3, G19).

Nothing is read here. Tasks are queued, and what they find missing they queue in turn; rows that are there already cost
their listing and no more.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from shared.domain.backfill import window_start
from shared.domain.ids import digest
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock
from shared.records.calendar import CalendarStreams
from shared.records.mailboxes import Mailboxes
from shared.records.store import TenantStore
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.queue_work import sync_task as calendar_task
from shared.usecases.mail.queue_work import sync_task

PIECE = timedelta(days=7)
"""A busy mailbox holds some thousand messages a week: one listing, one task."""

APART = timedelta(seconds=20)
"""Between two pieces, so that live mail finds its share of the mailbox's quota."""

SAME_WISH_FOR_S = 600
"""Asked twice within ten minutes it is one reading."""


@dataclass(frozen=True, slots=True)
class Resync:
    """pieces: tasks that compare a week each. calendars: that are read anew."""

    since: datetime
    pieces: int
    calendars: int


def resync_mailbox(
    store: TenantStore, mailbox_id: str, *, since: datetime | None, tasks: Tasks, clock: Clock, dry_run: bool = False
) -> Resync:
    """since: aware UTC; the backfill window's begin where it is not told.

    Raises: NotFoundError; InputError for a mailbox that is not served.
    """
    mailbox = Mailboxes(store).get(mailbox_id).value
    if not mailbox.served:
        raise InputError(f"Mailbox {mailbox_id} is {mailbox.status.value}: nothing may be read until it is connected.")
    now = clock.now()
    begin = _midnight(since or window_start(now, mailbox.options.backfill_months))
    slot = int(now.timestamp()) // SAME_WISH_FOR_S
    audits = _audits(store.tenant, mailbox_id, begin, now, slot)
    calendars = [
        calendar_task(store.tenant, mailbox_id, stream.stream_id, Cause.REREAD, "operator", slot)
        for stream in CalendarStreams(store, mailbox_id).all()
        if not stream.closed
    ]
    if not dry_run:
        tasks.create([sync_task(store.tenant, mailbox_id, "operator", slot, wish=None), *audits, *calendars])
    return Resync(begin, len(audits), len(calendars))


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time.min, tzinfo=UTC)


def _audits(tenant: str, mailbox_id: str, begin: datetime, now: datetime, slot: int) -> list[Task]:
    """Newest first: people look there first."""
    found: list[Task] = []
    before = now
    while before > begin:
        after = max(begin, _midnight(before - PIECE))
        window = {"after": after.isoformat(), "before": before.isoformat()}
        found.append(
            Task(
                queue="mailbox-audit",
                function="mailbox_audit",
                name=digest("mailbox-audit", tenant, mailbox_id, "operator", slot, after.isoformat()),
                payload={"tenant": tenant, "mailbox": mailbox_id, **window},
                not_before=now + APART * len(found) if found else None,
            )
        )
        before = after
    return found

"""The tasks of calendars, named by what makes each new (D3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from shared.domain.calendar.copy import EventCopy
from shared.domain.ids import digest
from shared.ports.tasks import Task


class Cause(StrEnum):
    """Why a calendar is read. reread: everything anew, under a new generation."""

    CONNECT = "connect"
    PUSH = "push"
    POLL = "poll"
    CONTINUE = "continue"
    REREAD = "reread"


def sync_task(
    tenant: str, mailbox_id: str, stream_id: str, cause: Cause, *new: str | int, not_before: datetime | None = None
) -> Task:
    """Read one calendar. `new` is what makes this call new: a channel's message, a poll's slot, a lease's fence."""
    return Task(
        queue="calendar-sync",
        function="calendar_sync",
        name=digest("calendar-sync", tenant, mailbox_id, stream_id, cause.value, *new),
        payload={"tenant": tenant, "mailbox": mailbox_id, "stream": stream_id, "cause": cause.value},
        not_before=not_before,
    )


def renew_task(tenant: str, mailbox_id: str, stream_id: str, *new: str | int) -> Task:
    """Replace a calendar's channel. `new`: when the channel ends, or what else makes a new one due."""
    return Task(
        queue="channel-renew",
        function="channel_renew",
        name=digest("channel-renew", tenant, mailbox_id, stream_id, *new),
        payload={"tenant": tenant, "mailbox": mailbox_id, "stream": stream_id},
    )


def rebuild_task(tenant: str, meeting_id: str, *new: str | int) -> Task:
    """Build a meeting from its copies. `new`: the rows and revisions that ask for it, or when it rolls."""
    return Task(
        queue="meeting-rebuild",
        function="meeting_rebuild",
        name=digest("meeting-rebuild", tenant, meeting_id, *new),
        payload={"tenant": tenant, "meeting": meeting_id},
    )


def rebuild_tasks(tenant: str, mailbox_id: str, rows: Iterable[EventCopy]) -> list[Task]:
    """One task for each meeting that some of the rows wait for."""
    by_meeting: dict[str, list[EventCopy]] = {}
    for row in rows:
        if row.meeting_id and row.rebuild_at:
            by_meeting.setdefault(row.meeting_id, []).append(row)
    return [
        rebuild_task(tenant, meeting_id, mailbox_id, *(part for row in waiting for part in (row.copy_id, row.rev)))
        for meeting_id, waiting in by_meeting.items()
    ]

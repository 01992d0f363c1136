"""Copies: one row per calendar and event, which is also the outbox of the meeting's rebuild (D2, G27).

A row carries the generation that last stated it. Copies of older generations than a complete one are absent from the
calendar; while a generation is being read, absence says nothing (I17).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.calendar.event import CalendarEvent, EventStatus
from shared.domain.calendar.rules import Busy, EventDecision, Matched, Outside
from shared.domain.ids import short_id
from shared.domain.ledger import Rule
from shared.domain.mail_rules import LeftOut
from shared.domain.values import dataclass

REBUILD_OVERDUE_AFTER = timedelta(minutes=5)
"""A row that waits longer for its meeting's rebuild lost its task; the poll queues it again."""


class CopyState(StrEnum):
    """outside: it ended before the window we read, or was moved there."""

    LOGGED = "logged"
    LEFT_OUT = "left_out"
    BUSY = "busy"
    OUTSIDE = "outside"
    CANCELLED = "cancelled"


IN_CALENDAR = frozenset({CopyState.LOGGED, CopyState.LEFT_OUT, CopyState.BUSY})
"""A complete generation states these; what it does not state is gone."""


@dataclass(frozen=True, slots=True)
class EventCopy:
    """One calendar's copy of one event. `event` holds no more than `state` allows.

    meeting_id: the organization's meeting it takes part in; None where nothing of it is logged. rev: grows with every
    change, so that each rebuild's task is new. rebuild_at: since when the meeting waits to be rebuilt from this row;
    None when it was.
    """

    copy_id: str
    stream_id: str
    root_id: str
    event: CalendarEvent
    state: CopyState
    generation: int
    rev: int = 1
    meeting_id: str | None = None
    rule: Rule | None = None
    rebuild_at: datetime | None = None

    @property
    def logged(self) -> bool:
        return self.state is CopyState.LOGGED

    @property
    def cancelled(self) -> bool:
        return self.state is CopyState.CANCELLED

    def gone(self, now: datetime) -> EventCopy:
        """The calendar has it no more."""
        event = replace(self.event.without_content(), status=EventStatus.CANCELLED)
        return replace(
            self,
            event=event,
            state=CopyState.CANCELLED,
            rule=None,
            rev=self.rev + 1,
            rebuild_at=now if self.meeting_id else None,
        )

    def queued_again(self, now: datetime) -> EventCopy:
        return replace(self, rev=self.rev + 1, rebuild_at=now)


def stream_id_of(calendar_id: str) -> str:
    """The stream of a calendar inside its mailbox."""
    return short_id("k", "calendar", calendar_id)


def copy_id_of(stream_id: str, event_id: str) -> str:
    return short_id("y", stream_id, event_id)


def meeting_id_of(ical_uid: str) -> str:
    """One meeting for the organization, however many calendars hold it."""
    return short_id("g", "meeting", ical_uid)


def copy_after(
    before: EventCopy | None,
    event: CalendarEvent,
    decision: EventDecision | None,
    *,
    stream_id: str,
    meeting_id: str | None,
    generation: int,
    now: datetime,
) -> EventCopy | None:
    """The row after the calendar stated `event`; None for a deletion of what we never knew.

    decision: None for a cancelled event. meeting_id: the meeting this row takes part in, if it does. A row that says
    the same as before comes back with the new generation and otherwise as it was.
    """
    if event.cancelled and event.series_id is None and before is None:
        return None
    base = before or EventCopy(
        copy_id=copy_id_of(stream_id, event.event_id),
        stream_id=stream_id,
        root_id=event.root_id,
        event=event.without_content(),
        state=CopyState.CANCELLED,
        generation=generation,
        rev=0,
    )
    state, kept, rule = _kept(base, event, decision)
    if before and (before.event, before.state, before.rule, before.meeting_id) == (kept, state, rule, meeting_id):
        return replace(before, generation=generation)
    return replace(
        base,
        event=kept,
        state=state,
        rule=rule,
        generation=generation,
        rev=base.rev + 1,
        meeting_id=meeting_id,
        rebuild_at=now if meeting_id else None,
    )


def _kept(
    base: EventCopy, event: CalendarEvent, decision: EventDecision | None
) -> tuple[CopyState, CalendarEvent, Rule | None]:
    match decision:
        case Matched():
            return CopyState.LOGGED, event, None
        case LeftOut(rule=rule):
            return CopyState.LEFT_OUT, event.without_content(), rule
        case Busy():
            return CopyState.BUSY, event.as_busy(), None
        case Outside():
            return CopyState.OUTSIDE, event.without_content(), None
        case None:  # a deletion may tell nothing but its id: what is known besides stays
            gone = replace(base.event.without_content(), status=EventStatus.CANCELLED)
            return CopyState.CANCELLED, gone, None

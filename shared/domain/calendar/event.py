"""An event as one calendar states it, whoever the vendor is (G25, G27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum

from shared.domain.values import dataclass

GUESTS_KEPT = 200
"""As in mail: so many guests are kept and matched, the rest is counted as omitted."""

TEXT_KEPT = 1_000
"""Characters of a title or a place."""


class EventStatus(StrEnum):
    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"


class Answer(StrEnum):
    """What a guest replied."""

    NONE = "none"
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Times:
    """When an event takes place. zone: IANA name, the one its series repeats in.

    All-day events stay days: `first_day` to `end_day`, which is exclusive; their start_at and end_at are those days'
    midnights in UTC and serve to sort, nothing else.
    """

    start_at: datetime
    end_at: datetime
    zone: str
    first_day: date | None = None
    end_day: date | None = None

    @property
    def all_day(self) -> tuple[str, str] | None:
        if self.first_day is None or self.end_day is None:
            return None
        return self.first_day.isoformat(), self.end_day.isoformat()

    @property
    def start_key(self) -> str:
        """The start as part of an id; for an instance of a series that is its original start."""
        return start_key(self.first_day or self.start_at)


def days(first_day: date, end_day: date, zone: str) -> Times:
    """The times of an all-day event."""
    return Times(_midnight(first_day), _midnight(end_day), zone, first_day, end_day)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def start_key(moment: date | datetime) -> str:
    """A day, or an aware moment brought to UTC, as one unambiguous text: the identity of an instance (I18)."""
    return moment.astimezone(UTC).isoformat() if isinstance(moment, datetime) else moment.isoformat()


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody invited. email: normalized. is_self: the calendar this statement comes from."""

    email: str
    name: str = ""
    answer: Answer = Answer.NONE
    is_self: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A file attached to an event: what it is and where, not what is in it (G24)."""

    title: str
    url: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """What one calendar says about one event: single, a whole series, or one changed instance of a series.

    ical_uid: one for all copies of a meeting and all instances of a series; empty where a cancelled event tells none.
    series_id, original_start: set on an instance, its identity even when it was moved; the latter is a `start_key`.
    recurrence: RFC 5545 lines (RRULE, RDATE, EXDATE), without DTSTART. organizer, creator: normalized addresses, empty
    if untold or a calendar's own. organizer_is_self: this calendar's copy is the one that leads. times: None only where
    cancelled.
    """

    event_id: str
    status: EventStatus
    ical_uid: str = ""
    times: Times | None = None
    series_id: str | None = None
    original_start: str | None = None
    recurrence: tuple[str, ...] = ()
    title: str = ""
    location: str = ""
    meet_url: str = ""
    organizer: str = ""
    creator: str = ""
    organizer_is_self: bool = False
    guests: tuple[Guest, ...] = ()
    guests_omitted: bool = False
    documents: tuple[LinkedDocument, ...] = ()
    private: bool = False
    event_type: str = "default"
    updated_at: datetime | None = None

    @property
    def root_id(self) -> str:
        """The event id its series has; its own if it is in none."""
        return self.series_id or self.event_id

    @property
    def cancelled(self) -> bool:
        return self.status is EventStatus.CANCELLED

    def without_content(self) -> CalendarEvent:
        """Ids, status and times: all that is kept of an event that is left out or gone."""
        return CalendarEvent(
            event_id=self.event_id,
            status=self.status,
            times=self.times,
            series_id=self.series_id,
            original_start=self.original_start,
            updated_at=self.updated_at,
        )

    def as_busy(self) -> CalendarEvent:
        """What is kept of a private event: that somebody is busy, and when (G28)."""
        return replace(self.without_content(), recurrence=self.recurrence, private=True)

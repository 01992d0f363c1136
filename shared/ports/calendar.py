"""One person's calendars at the vendor."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from shared.domain.values import dataclass
from shared.ports.marks import reads

if TYPE_CHECKING:  # words of the annotations alone: a cold start would pay for every class behind them
    from shared.domain.calendar.event import CalendarEvent
    from shared.domain.calendar.meeting import Expansion, Series


@dataclass(frozen=True, slots=True)
class CalendarListing:
    """One calendar on a person's list. selected: they have it shown. time_zone: IANA name."""

    calendar_id: str
    primary: bool
    selected: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An event of a page that cannot be read, and why."""

    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in no order, instances of series only where they were changed or cancelled. sync_token: on the last page
    only; it stands for everything read since the first."""

    events: tuple[CalendarEvent, ...]
    unreadable: tuple[UnreadableEvent, ...]
    next_page: str | None
    sync_token: str | None


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """A running channel: what stopping it needs, and when it ends (aware UTC)."""

    resource_id: str
    expires_at: datetime


class Calendar(Protocol):
    """One person's calendars at the vendor. Every method raises ConnectionRevokedError, AdminActionError,
    ProviderUnavailableError or RateLimitedError where the vendor says so."""

    @reads
    def calendars(self) -> tuple[CalendarListing, ...]: ...

    @reads
    def events(self, calendar_id: str, *, since: datetime, sync_token: str | None, page: str | None) -> EventPage:
        """What changed since `sync_token`; without one, everything that ends after `since`.

        Raises: CursorExpiredError (read everything anew); NotFoundError, ForbiddenError (the calendar is gone).
        """
        ...

    def open_channel(self, calendar_id: str, *, channel_id: str, token: str, address: str) -> OpenedChannel:
        """Ask for change notices of this calendar at `address`. The first notice may come before this returns."""
        ...

    def close_channel(self, channel_id: str, resource_id: str) -> None:
        """Stop a channel; one that is not there (any more) is stopped."""
        ...


class Recurrence(Protocol):
    """Expands the recurrence rules of RFC 5545."""

    @reads
    def expand(self, series: Series, since: datetime, until: datetime) -> Expansion:
        """Occurrences that end after `since` and begin before `until`.

        Raises: PayloadError for a rule that cannot be read, or has more occurrences than anybody meets.
        """
        ...

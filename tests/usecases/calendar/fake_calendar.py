"""A calendar service in memory, with the vendor's habits: tokens, pages, tombstones, channels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.domain.calendar.event import CalendarEvent, EventStatus, Guest, Times, days
from shared.errors import AppError, CursorExpiredError, NotFoundError, ProviderUnavailableError
from shared.ports.calendar import CalendarListing, EventPage, OpenedChannel, UnreadableEvent
from shared.ports.marks import reads
from shared.ports.time import Clock

CHANNELS_LIVE = timedelta(days=7)


@dataclass
class FakeChannel:
    calendar_id: str
    token: str
    address: str
    expires_at: datetime
    stopped: bool = False


@dataclass
class _Stated:
    """What the service would state about one event, and when it last changed."""

    event: CalendarEvent
    revision: int


@dataclass
class FakeCalendar:
    """One person's calendars. Events are put and deleted by tests; the product lists and watches.

    fail_next: errors that the next calls raise instead of answering. omitted: event ids that whole readings leave out,
    as a partial answer would. hidden: calendars that are not shared any more. unreadable: event ids Google garbles.
    """

    clock: Clock
    owner: str
    page_size: int = 250
    fail_next: list[AppError] = field(default_factory=list)
    omitted: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    listings: list[CalendarListing] = field(default_factory=list)
    channels: dict[str, FakeChannel] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    oldest_token: int = 0
    _revision: int = 0
    _events: dict[str, dict[str, _Stated]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listings.append(CalendarListing(self.owner, primary=True, selected=True, time_zone="Europe/Berlin"))

    # ------------------------------------------------------------------------------------------- what the tests do

    def put(self, event: CalendarEvent, calendar_id: str | None = None) -> None:
        self._revision += 1
        stated = replace(event, updated_at=self.clock.now() + timedelta(microseconds=self._revision))
        self._events.setdefault(calendar_id or self.owner, {})[event.event_id] = _Stated(stated, self._revision)

    def delete(self, event_id: str, calendar_id: str | None = None) -> None:
        """Deleted for good: a tombstone with its id alone; of an instance with its place in the series."""
        before = self._events[calendar_id or self.owner][event_id].event
        self.put(
            CalendarEvent(
                event_id, EventStatus.CANCELLED, series_id=before.series_id, original_start=before.original_start
            ),
            calendar_id,
        )

    def vanish(self, event_id: str, calendar_id: str | None = None) -> None:
        """Gone without a word, as happens while no token is good."""
        del self._events[calendar_id or self.owner][event_id]

    def expire_tokens(self) -> None:
        self._revision += 1
        self.oldest_token = self._revision

    def running(self) -> list[str]:
        """Ids of the channels that send notices now."""
        now = self.clock.now()
        return [id_ for id_, channel in self.channels.items() if not channel.stopped and channel.expires_at > now]

    # ------------------------------------------------------------------------------------------------------- the port

    @reads
    def calendars(self) -> tuple[CalendarListing, ...]:
        self._call("calendars")
        return tuple(self.listings)

    @reads
    def events(self, calendar_id: str, *, since: datetime, sync_token: str | None, page: str | None) -> EventPage:
        self._call("events")
        if calendar_id in self.hidden:
            raise NotFoundError("no such calendar")
        if sync_token is not None and int(sync_token) < self.oldest_token:
            raise CursorExpiredError("fullSyncRequired")
        known = sorted(self._events.get(calendar_id, {}).items())
        if sync_token is not None:
            listed = [stated for _, stated in known if stated.revision > int(sync_token)]
        else:
            listed = [stated for id_, stated in known if id_ not in self.omitted and _in_window(stated.event, since)]
        start = int(page or "0")
        part, last = listed[start : start + self.page_size], start + self.page_size >= len(listed)
        return EventPage(
            events=tuple(stated.event for stated in part if stated.event.event_id not in self.unreadable),
            unreadable=tuple(
                UnreadableEvent(stated.event.event_id, "garbled")
                for stated in part
                if stated.event.event_id in self.unreadable
            ),
            next_page=None if last else str(start + self.page_size),
            sync_token=str(self._revision) if last else None,
        )

    def open_channel(self, calendar_id: str, *, channel_id: str, token: str, address: str) -> OpenedChannel:
        self._call("open_channel")
        assert channel_id not in self.channels, "channel ids are unique in a project"
        expires_at = self.clock.now() + CHANNELS_LIVE
        self.channels[channel_id] = FakeChannel(calendar_id, token, address, expires_at)
        return OpenedChannel(f"resource of {calendar_id}", expires_at)

    def close_channel(self, channel_id: str, resource_id: str) -> None:
        self._call("close_channel")
        channel = self.channels.get(channel_id)
        if channel is not None and resource_id == f"resource of {channel.calendar_id}":
            channel.stopped = True

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fail_next:
            raise self.fail_next.pop(0)


def _in_window(event: CalendarEvent, since: datetime) -> bool:
    if event.cancelled:
        return event.series_id is not None
    return bool(event.recurrence) or (event.times is not None and event.times.end_at > since)


OUTAGE = ProviderUnavailableError("the calendar is down")


# ------------------------------------------------------------------------------------------------------ sample events


def at(year: int, month: int, day: int, hour: int, minute: int = 0, *, minutes: int = 60, zone: str = "UTC") -> Times:
    start_at = datetime(year, month, day, hour, minute, tzinfo=UTC)
    return Times(start_at, start_at + timedelta(minutes=minutes), zone)


def all_day(first: date, end: date) -> Times:
    return days(first, end, "Europe/Berlin")


def event(event_id: str, times: Times, *guests: str, **fields: Any) -> CalendarEvent:
    """A meeting that ann@acme.example calls, unless `fields` say otherwise."""
    given: dict[str, Any] = {
        "ical_uid": f"{event_id}@acme.example",
        "title": f"About {event_id}",
        "organizer": "ann@acme.example",
        "creator": "ann@acme.example",
        "organizer_is_self": True,
        "guests": tuple(Guest(email) for email in guests),
    }
    return replace(CalendarEvent(event_id, EventStatus.CONFIRMED, times=times), **(given | fields))


def instance(series: CalendarEvent, original: Times, times: Times | None, **fields: Any) -> CalendarEvent:
    """A changed instance of a series; cancelled where it has no times."""
    event_id = f"{series.event_id}_{original.start_key}"
    if times is None:
        return CalendarEvent(
            event_id, EventStatus.CANCELLED, series_id=series.event_id, original_start=original.start_key
        )
    moved: dict[str, Any] = {
        "event_id": event_id,
        "series_id": series.event_id,
        "original_start": original.start_key,
        "times": times,
        "recurrence": (),
    }
    return replace(series, **(moved | fields))

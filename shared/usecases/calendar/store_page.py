"""What a page of events makes of the copies: decided first, then kept as far as the decision allows (I11, G28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime

from shared.domain.calendar.copy import EventCopy, copy_after, copy_id_of, meeting_id_of
from shared.domain.calendar.event import CalendarEvent
from shared.domain.calendar.meeting import HoldingRef
from shared.domain.calendar.rules import EventDecision, Matched, decide_event
from shared.domain.calendar.stream import CalendarStream
from shared.domain.quarantine import Parked
from shared.domain.values import dataclass
from shared.ports.calendar import EventPage, UnreadableEvent
from shared.ports.documents import Write
from shared.records.calendar import Meetings
from shared.records.followups import Quarantine
from shared.usecases.calendar.decide_events import look_up_people
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.served import ServedCalendars
from shared.usecases.mail.decide_mail import open_desk

UNREADABLE = "event"


@dataclass(frozen=True, slots=True)
class PageRows:
    """The writes of a page, for the commit that moves the stream. changed: the rows that say something new."""

    writes: list[Write] = field(default_factory=list)
    changed: list[EventCopy] = field(default_factory=list)


def page_rows(served: ServedCalendars, stream: CalendarStream, page: EventPage, now: datetime) -> PageRows:
    """Decide every event of the page and make its row."""
    events = _roots_first(page.events)
    decisions = _decisions(served, stream, events)
    sheet = _Sheet(served, stream, now, _known_rows(served, stream, page, events))
    for event in events:
        sheet.state(event, decisions.get(event.event_id))
    for unreadable in page.unreadable:
        sheet.park(unreadable)
    return sheet.rows


def _roots_first(events: tuple[CalendarEvent, ...]) -> list[CalendarEvent]:
    """Each event once, as last stated; series before their instances, which need to know the series' meeting."""
    by_id = {event.event_id: event for event in events}
    return sorted(by_id.values(), key=lambda event: event.series_id is not None)


def _decisions(
    served: ServedCalendars, stream: CalendarStream, events: list[CalendarEvent]
) -> Mapping[str, EventDecision]:
    living = [event for event in events if not event.cancelled]
    if not living:
        return {}
    desk = open_desk(served.store, served.mailbox_id)
    lookup = look_up_people(served.store, desk.organization, living)
    return {
        event.event_id: decide_event(event, desk.holder, desk.organization, lookup, since=stream.since)
        for event in living
    }


def _known_rows(
    served: ServedCalendars, stream: CalendarStream, page: EventPage, events: list[CalendarEvent]
) -> dict[str, EventCopy]:
    """The rows there are of the page's events and of their series, in one read."""
    ids = [event_id for event in events for event_id in (event.event_id, event.root_id)]
    ids += [unreadable.event_id for unreadable in page.unreadable]
    return served.copies.get_all([copy_id_of(stream.stream_id, event_id) for event_id in dict.fromkeys(ids)])


class _Sheet:
    """The rows of one page while they are made."""

    def __init__(
        self, served: ServedCalendars, stream: CalendarStream, now: datetime, known: dict[str, EventCopy]
    ) -> None:
        self._served = served
        self._stream = stream
        self._now = now
        self._known = known
        self.rows = PageRows()

    def state(self, event: CalendarEvent, decision: EventDecision | None) -> None:
        before = self._row(event.event_id)
        if decision is None and event.series_id is None and before is not None:
            self._take_instances_along(before)
        after = copy_after(
            before,
            event,
            decision,
            stream_id=self._stream.stream_id,
            meeting_id=self._meeting_of(event, decision, before),
            generation=self._stream.generation,
            now=self._now,
        )
        if after is not None:
            self._put(before, after)

    def park(self, unreadable: UnreadableEvent) -> None:
        """One event that cannot be read stops no other (I4). The row of an earlier reading stays: it is not absent."""
        before = self._row(unreadable.event_id)
        if before is not None:
            self.rows.writes.append(self._served.copies.stating(_restated(before, self._stream.generation)))
        stream_id = self._stream.stream_id
        ids = {**self._served.ids, "stream": stream_id}
        parked = Parked(
            kind=UNREADABLE,
            key=copy_id_of(stream_id, unreadable.event_id),
            reason=unreadable.reason,
            parked_at=self._now,
            ids={**ids, "event": unreadable.event_id},
            queue="calendar-sync",
            function="calendar_sync",
            payload={**ids, "cause": Cause.REREAD.value},
        )
        quarantine = Quarantine(self._served.store)
        earlier = quarantine.find(parked.parked_id)
        self.rows.writes.append(
            quarantine.updating(parked.again(earlier.value), earlier.version)
            if earlier
            else quarantine.creating(parked)
        )

    def _meeting_of(self, event: CalendarEvent, decision: EventDecision | None, before: EventCopy | None) -> str | None:
        """The meeting the row takes part in: its own if it is logged, and of an instance its series', which it changes
        even where it is itself cancelled, private or left out."""
        if isinstance(decision, Matched):
            return meeting_id_of(event.ical_uid)
        if before is not None and before.meeting_id:
            return before.meeting_id
        series = self._row(event.series_id) if event.series_id else None
        return series.meeting_id if series else None

    def _take_instances_along(self, series: EventCopy) -> None:
        """A deleted series takes its instances with it; the vendor need not tell each."""
        for row in self._served.copies.of_root(series.stream_id, series.root_id):
            if row.value.copy_id != series.copy_id and not row.value.cancelled:
                gone = row.value.gone(self._now)
                self._put(row.value, _restated(gone, self._stream.generation))

    def _row(self, event_id: str) -> EventCopy | None:
        return self._known.get(copy_id_of(self._stream.stream_id, event_id))

    def _put(self, before: EventCopy | None, after: EventCopy) -> None:
        self._known[after.copy_id] = after
        if before is not None and before.rev == after.rev:
            if before.generation != after.generation:
                self.rows.writes.append(self._served.copies.stating(after))
            return
        self.rows.changed.append(after)
        self.rows.writes.append(self._served.copies.writing(after))
        if after.meeting_id and (before is None or before.meeting_id != after.meeting_id):
            ref = HoldingRef(self._served.mailbox_id, after.stream_id, after.root_id, self._stream.since)
            self.rows.writes.append(Meetings(self._served.store).holding(after.meeting_id, ref))


def _restated(row: EventCopy, generation: int) -> EventCopy:
    return replace(row, generation=generation)

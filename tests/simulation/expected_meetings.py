"""What meetings must stand on which timelines, told from the calendars as they are in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.calendar.copy import IN_CALENDAR, EventCopy, copy_after, meeting_id_of
from shared.domain.calendar.event import CalendarEvent
from shared.domain.calendar.meeting import (
    HORIZON,
    NO_EXPANSION,
    Holding,
    Occurrence,
    holding_of,
    meeting_entry,
    occurrences_of,
    series_of,
)
from shared.domain.calendar.rules import EventDecision, Matched, decide_event
from shared.domain.mail.addresses import Address
from shared.domain.mail_rules import Lookup
from shared.domain.matching import Known
from shared.domain.timeline import Kind
from shared.platform.recurrence import DateutilRecurrence
from shared.ports.documents import Query
from shared.records.calendar import COPY, OCCURRENCE, CalendarStreams
from shared.records.mail import ENTRY
from shared.records.people import Contacts
from shared.usecases.calendar.decide_events import look_up_people
from shared.usecases.mail.decide_mail import Desk, open_desk
from tests.simulation.plan import Seat
from tests.simulation.scene import Scene

EDGE = timedelta(hours=3)
"""Series roll over the horizon with the hourly job; so close to it nothing is said."""


def wrong_meetings(scene: Scene) -> list[str]:
    found = []
    for tenant in scene.tenants:
        found += [f"{tenant}: {words}" for words in _wrong_in(scene, tenant)]
    return found


def _wrong_in(scene: Scene, tenant: str) -> Iterator[str]:
    holdings: defaultdict[str, list[Holding]] = defaultdict(list)
    guests: dict[str, tuple[Known, ...]] = {}
    for seat in scene.seats_of(tenant):
        yield from _wrong_copies(scene, seat)
        for meeting_id, holding in _holdings(scene, seat, guests):
            holdings[meeting_id].append(holding)
    wanted: dict[str, Occurrence] = {}
    for meeting_id, held in holdings.items():
        series = series_of(held)
        expansion = NO_EXPANSION
        if series is not None:
            since = min(holding.since for holding in held)
            expansion = DateutilRecurrence().expand(series, since, scene.now + HORIZON)
        for occurrence in occurrences_of(meeting_id, held, expansion, guests):
            wanted[occurrence.event_id] = occurrence
    store = scene.cloud.store(tenant)
    stored = (OCCURRENCE.value(document.fields) for document in store.find(Query("events")))
    found = {occurrence.event_id: replace(occurrence, participant_keys=()) for occurrence in stored}
    edge = scene.now + HORIZON - EDGE
    for event_id in sorted({*wanted, *found}):
        expected, there = wanted.get(event_id), found.get(event_id)
        if expected != there and any(one and one.start_at < edge for one in (expected, there)):
            yield f"meeting is {there}, {expected} expected"
    for contact in Contacts(store).page(after=None, limit=300):
        contact_id = contact.contact.contact_id
        entries = store.find(Query(f"contacts/{contact_id}/timeline"))
        kept = {document.id: ENTRY.value(document.fields) for document in entries}
        shown = {id_: entry for id_, entry in kept.items() if entry.kind is Kind.MEETING}
        due = {id_: meeting_entry(one, contact_id) for id_, one in found.items() if contact_id in one.contact_ids}
        if shown != due:
            yield f"{contact_id} has meetings {sorted(shown)}, {sorted(due)} expected"


def _holdings(scene: Scene, seat: Seat, guests: dict[str, tuple[Known, ...]]) -> Iterator[tuple[str, Holding]]:
    """What one calendar says of each meeting; of a mailbox that is not served, what was read last."""
    record = scene.record(seat)
    if record is None:
        return
    store = scene.cloud.store(seat.tenant)
    desk = open_desk(store, record.mailbox_id)
    stored = _stored(scene, seat)
    events = scene.cloud.calendars[seat.account].living() if record.served else [row.event for row in stored]
    lookup = look_up_people(store, desk.organization, events)
    guests.update({guest.email: lookup.of(Address(guest.email)) for event in events for guest in event.guests})
    for stream in CalendarStreams(store, record.mailbox_id).all():
        decided = {event.event_id: _decided(event, desk, lookup, stream.since) for event in events}
        copies = stored
        if record.served:
            made = (_copy(event, decided[event.event_id], stream.stream_id, scene.now) for event in events)
            copies = [copy for copy in made if copy]
        by_root: defaultdict[str, list[EventCopy]] = defaultdict(list)
        for copy in copies:
            by_root[copy.root_id].append(copy)
        for root_id, members in by_root.items():
            loggable = frozenset(
                copy.copy_id for copy in members if copy.logged and isinstance(decided[copy.event.event_id], Matched)
            )
            share = desk.mailbox.options.share
            for uid in sorted({copy.event.ical_uid for copy in members if copy.copy_id in loggable}):
                holding = holding_of(record.viewer, share, stream.since, root_id, members, loggable)
                yield meeting_id_of(uid), holding


def _decided(event: CalendarEvent, desk: Desk, lookup: Lookup, since: datetime) -> EventDecision | None:
    if event.cancelled:
        return None
    return decide_event(event, desk.holder, desk.organization, lookup, since=since)


def _copy(event: CalendarEvent, decision: EventDecision | None, stream_id: str, now: datetime) -> EventCopy | None:
    return copy_after(None, event, decision, stream_id=stream_id, meeting_id="any", generation=1, now=now)


def _stored(scene: Scene, seat: Seat) -> list[EventCopy]:
    record = scene.record(seat)
    assert record is not None
    found = scene.cloud.store(seat.tenant).find(Query(f"mailboxes/{record.mailbox_id}/copies"))
    return [COPY.value(document.fields) for document in found]


def _wrong_copies(scene: Scene, seat: Seat) -> Iterator[str]:
    """A copy for each event that is there, and none besides."""
    if not scene.served(seat):
        return
    there = {event.event_id for event in scene.cloud.calendars[seat.account].living() if not event.cancelled}
    rows = {row.event.event_id: row for row in _stored(scene, seat)}
    for event_id in sorted(there - rows.keys()):
        yield f"{seat.account}: event {event_id} has no copy"
    for event_id, row in sorted(rows.items()):
        if event_id not in there and row.state in IN_CALENDAR:
            yield f"{seat.account}: event {event_id} is gone and its copy is {row.state}"
        if event_id in there and row.cancelled:
            yield f"{seat.account}: event {event_id} is there and its copy is cancelled"

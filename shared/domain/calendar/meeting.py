"""Meetings: one for the organization, built from every calendar's copies of it (G25, G27, I10, I18).

A series is kept as a series, in its copies; its occurrences between the window's begin and the horizon are built from
the rule, the changed and the cancelled instances. Building is a pure function of the copies, so that it can be run
again at any time, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta

from shared.domain.calendar.copy import EventCopy
from shared.domain.calendar.event import Answer, CalendarEvent, EventStatus, Guest, LinkedDocument, Times
from shared.domain.ids import short_id
from shared.domain.matching import Known
from shared.domain.people import Viewer
from shared.domain.settings import Share
from shared.domain.timeline import Entry, Kind, MeetingSummary
from shared.domain.values import dataclass
from shared.domain.visibility import level, reader_key

HORIZON = timedelta(days=90)
"""How far ahead a series is expanded; it rolls on with the days (I19)."""

SINGLE = "single"


@dataclass(frozen=True, slots=True)
class HoldingRef:
    """Where copies of a meeting lie: the rows of one calendar under one root event."""

    mailbox_id: str
    stream_id: str
    root_id: str
    since: datetime

    @property
    def key(self) -> str:
        return short_id("h", self.mailbox_id, self.stream_id, self.root_id)


@dataclass(frozen=True, slots=True)
class Built:
    """An occurrence as it stands on the timelines: a digest of it, and whose timelines."""

    digest: str
    contact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a meeting is built from and what was built. holdings: by their keys. built: by occurrence id. roll_at: when
    the next occurrence of its series comes over the horizon; None for what does not go on. revision: of the building,
    so that of two builders at once one must begin again."""

    meeting_id: str
    holdings: Mapping[str, HoldingRef] = field(default_factory=dict)
    built: Mapping[str, Built] = field(default_factory=dict)
    roll_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """What an expansion needs: the recurrence lines and the times of the first occurrence."""

    recurrence: tuple[str, ...]
    first: Times


@dataclass(frozen=True, slots=True)
class Expansion:
    """Occurrences by the rule alone, in order. next_start_at: of the first one that begins at the end of the expanded
    time or later; None if there is none."""

    occurrences: tuple[Times, ...]
    next_start_at: datetime | None


NO_EXPANSION = Expansion((), None)


@dataclass(frozen=True, slots=True)
class Holding:
    """One calendar's copies of a meeting, as far as its holder's rules let them be logged.

    root: the single event or the series; None for somebody invited to one instance only, or once it is gone.
    instances: changed and cancelled instances by original start; None where this holder does not have it any more, or
    has it left out or private.
    """

    viewer: Viewer
    share: Share
    since: datetime
    root: CalendarEvent | None
    instances: Mapping[str, CalendarEvent | None]


def holding_of(
    viewer: Viewer, share: Share, since: datetime, root_id: str, copies: Iterable[EventCopy], loggable: frozenset[str]
) -> Holding:
    """Sort one calendar's rows. loggable: ids of the rows whose content may be shown."""
    root: CalendarEvent | None = None
    root_gone = False
    instances: dict[str, CalendarEvent | None] = {}
    for copy in copies:
        shown = copy.event if copy.copy_id in loggable else None
        if copy.event.event_id == root_id:
            root, root_gone = shown, copy.cancelled
        elif copy.event.original_start:
            instances[copy.event.original_start] = shown
    if root_gone:  # a series that is gone took its instances along, whether each was told or not
        return Holding(viewer, share, since, None, {})
    return Holding(viewer, share, since, root, instances)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting that takes place: single, or one instance of a series. A row of `events`.

    contact_ids: in the order of the guest list, the first is primary. answers: the contacts'. user_ids: whose calendars
    hold it. readers: "user:share". participant_keys: keyed digests of everyone named (R7).
    """

    event_id: str
    meeting_id: str
    original_start: str | None
    start_at: datetime
    end_at: datetime
    all_day: tuple[str, str] | None
    time_zone: str
    status: EventStatus
    title: str
    location: str
    meet_url: str
    organizer: str
    guests: tuple[Guest, ...]
    guests_omitted: bool
    documents: tuple[LinkedDocument, ...]
    recurrence: tuple[str, ...]
    contact_ids: tuple[str, ...]
    company_ids: tuple[str, ...]
    answers: Mapping[str, str]
    user_ids: tuple[str, ...]
    readers: tuple[str, ...]
    participant_keys: tuple[str, ...] = ()


def occurrence_id(meeting_id: str, original_start: str | None) -> str:
    return short_id("e", meeting_id, original_start or SINGLE)


def series_of(holdings: Iterable[Holding]) -> Series | None:
    """The series the meeting is, told by its leading copy; None for a single event."""
    leading = _leading(holding.root for holding in holdings)
    if leading is None or not leading.recurrence or leading.times is None:
        return None
    return Series(leading.recurrence, leading.times)


def occurrences_of(
    meeting_id: str,
    holdings: Iterable[Holding],
    expansion: Expansion,
    guests_known: Mapping[str, tuple[Known, ...]],
) -> list[Occurrence]:
    """Everything that takes place, in the window of those who hold it, with at least one contact who may be told.

    expansion: of `series_of` the same holdings. guests_known: who a guest's address belongs to.
    """
    held = list(holdings)
    repeats = series_of(held) is not None
    single = _leading(holding.root for holding in held)
    regular: dict[str, Times | None] = {times.start_key: times for times in expansion.occurrences}
    keys: dict[str | None, Times | None] = {}
    if repeats:
        keys.update(regular)
    elif single is not None:
        keys[None] = None
    if repeats or single is None:
        for holding in held:
            keys.update({key: regular.get(key) for key, event in holding.instances.items() if event is not None})
    found = (_occurrence(meeting_id, key, regular_times, held, guests_known) for key, regular_times in keys.items())
    return [occurrence for occurrence in found if occurrence]


def _occurrence(
    meeting_id: str,
    key: str | None,
    regular: Times | None,
    holdings: list[Holding],
    guests_known: Mapping[str, tuple[Known, ...]],
) -> Occurrence | None:
    """One occurrence; None where nobody holds it, it lies before the window, or no contact may be told of it."""
    stated = [(holding, event) for holding in holdings if (event := _stated(holding, key, regular))]
    stated = [(holding, event) for holding, event in stated if event.times and event.times.end_at > holding.since]
    event = _leading(event for _, event in stated)
    if event is None or event.times is None:
        return None
    viewers = [holding.viewer for holding, _ in stated]
    contacts: dict[str, Known] = {}
    answers: dict[str, str] = {}
    for guest in event.guests:
        for known in guests_known.get(guest.email, ()):
            if known.kind == "contact" and any(viewer.may_see_records_of(known.owner_id) for viewer in viewers):
                contacts.setdefault(known.id, known)
                answers.setdefault(known.id, guest.answer.value)
    if not contacts:
        return None
    root = _leading(holding.root for holding, _ in stated)
    return Occurrence(
        event_id=occurrence_id(meeting_id, key),
        meeting_id=meeting_id,
        original_start=key,
        start_at=event.times.start_at,
        end_at=event.times.end_at,
        all_day=event.times.all_day,
        time_zone=event.times.zone,
        status=event.status,
        title=event.title,
        location=event.location,
        meet_url=event.meet_url,
        organizer=event.organizer,
        guests=event.guests,
        guests_omitted=event.guests_omitted,
        documents=event.documents,
        recurrence=root.recurrence if root else (),
        contact_ids=tuple(contacts),
        company_ids=tuple(dict.fromkeys(company for known in contacts.values() for company in known.company_ids)),
        answers=answers,
        user_ids=tuple(sorted({viewer.user_id for viewer in viewers})),
        readers=tuple(sorted({reader_key(holding.viewer.user_id, holding.share) for holding, _ in stated})),
    )


def _stated(holding: Holding, key: str | None, regular: Times | None) -> CalendarEvent | None:
    """What this holder's calendar says about one occurrence; None if it does not have it."""
    if key is None:
        return holding.root
    if key in holding.instances:
        return holding.instances[key]
    if holding.root is None or regular is None:
        return None
    return replace(holding.root, times=regular)


def _leading(events: Iterable[CalendarEvent | None]) -> CalendarEvent | None:
    """The copy that is believed: one changed for this occurrence before the series', the organizer's before a guest's,
    the newest of equals."""
    there = [event for event in events if event is not None]
    return max(there, key=_authority, default=None)


def _authority(event: CalendarEvent) -> tuple[bool, bool, float, str]:
    updated = event.updated_at.timestamp() if event.updated_at else 0.0
    return event.series_id is not None, event.organizer_is_self, updated, event.event_id


def people_named(occurrence: Occurrence) -> Iterator[str]:
    """The addresses of everyone in it."""
    yield from (guest.email for guest in occurrence.guests)
    if occurrence.organizer:
        yield occurrence.organizer


def visible_occurrence(occurrence: Occurrence, viewer: Viewer) -> Occurrence | None:
    """The occurrence as this viewer may read it, by the same levels as everything on timelines; None if not at all."""
    share = level(occurrence.readers, viewer)
    if share is None:
        return None
    shown = replace(occurrence, readers=(), participant_keys=())
    if share is Share.FULL:
        return shown
    shown = replace(shown, location="", meet_url="", documents=())
    return shown if share is Share.SUBJECT else replace(shown, title="")


def meeting_entry(occurrence: Occurrence, contact_id: str) -> Entry:
    """The occurrence as it stands on one contact's timeline."""
    summary = MeetingSummary(
        event_id=occurrence.event_id,
        title=occurrence.title,
        start_at=occurrence.start_at,
        end_at=occurrence.end_at,
        all_day=occurrence.all_day,
        time_zone=occurrence.time_zone,
        location=occurrence.location,
        meet_url=occurrence.meet_url,
        status=occurrence.status.value,
        organizer=occurrence.organizer,
        guests=len(occurrence.guests),
        answer=occurrence.answers.get(contact_id, Answer.NONE.value),
        private=False,
        readers=occurrence.readers,
        primary=occurrence.contact_ids[0] == contact_id,
        repeats=bool(occurrence.recurrence),
    )
    return Entry(
        entry_id=occurrence.event_id,
        kind=Kind.MEETING,
        at=occurrence.start_at,
        count=1,
        company_ids=occurrence.company_ids,
        meeting=summary,
    )

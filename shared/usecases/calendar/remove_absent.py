"""Rows that a complete generation lacks: gone, or held for a person where they are too many (I16, I17, G27)."""

from __future__ import annotations

from dataclasses import field, replace

from shared.domain.calendar.copy import EventCopy
from shared.domain.calendar.stream import Absence, CalendarStream, Verdict, held_for_a_person
from shared.domain.quarantine import Parked, ParkedState, parked_id
from shared.domain.values import dataclass
from shared.ports.documents import Write
from shared.records.followups import Quarantine
from shared.usecases.calendar.served import ServedCalendars

HELD_DELETIONS = "held_deletions"

ROWS_A_STEP = 250


@dataclass(frozen=True, slots=True)
class Removal:
    """One step: the stream after it, and what is written with it. rows: those that now wait for a rebuild."""

    stream: CalendarStream
    last: bool
    writes: list[Write] = field(default_factory=list)
    rows: list[EventCopy] = field(default_factory=list)


def removal_step(served: ServedCalendars, stream: CalendarStream, absence: Absence) -> Removal:
    """The next step of what a complete generation asks for."""
    if absence.verdict is Verdict.WEIGH:
        return _weigh(served, stream, absence)
    now = served.clock.now()
    older = served.copies.absent(stream.stream_id, absence.generation, ROWS_A_STEP)
    last = len(older) < ROWS_A_STEP
    after = replace(stream, absence=None) if last else stream
    if absence.verdict is Verdict.KEEP:
        kept = [replace(row.value, generation=absence.generation) for row in older]
        return Removal(after, last, [served.copies.stating(row) for row in kept])
    gone = [row.value.gone(now) for row in older]
    return Removal(after, last, [served.copies.writing(row) for row in gone], gone)


def _weigh(served: ServedCalendars, stream: CalendarStream, absence: Absence) -> Removal:
    absent = served.copies.count_absent(stream.stream_id, absence.generation)
    live = served.copies.count_in_calendar(stream.stream_id)
    if not held_for_a_person(absent, live):
        answered = _answered(served, stream.stream_id)
        return Removal(replace(stream, absence=replace(absence, verdict=Verdict.REMOVE)), last=False, writes=answered)
    served.warn("deletions.held", stream=stream.stream_id, absent=absent, live=live)
    parked = Parked(
        kind=HELD_DELETIONS,
        key=_key(served, stream.stream_id),
        reason=f"{absent} of {live} events are missing from the calendar",
        parked_at=served.clock.now(),
        ids={**served.ids, "stream": stream.stream_id, "generation": str(absence.generation)},
    )
    return Removal(replace(stream, absence=None), last=True, writes=[_asking(served, parked)])


def _asking(served: ServedCalendars, parked: Parked) -> Write:
    """One waiting question per calendar: a newer generation's takes the place of an older one's."""
    quarantine = Quarantine(served.store)
    earlier = quarantine.find(parked.parked_id)
    if earlier is None:
        return quarantine.creating(parked)
    return quarantine.updating(parked.again(earlier.value), earlier.version)


def _answered(served: ServedCalendars, stream_id: str) -> list[Write]:
    """A newer generation needs no person: the question about an older one is none any more."""
    quarantine = Quarantine(served.store)
    earlier = quarantine.find(held_deletions_id(served, stream_id))
    if earlier is None or earlier.value.state is not ParkedState.PARKED:
        return []
    return [quarantine.updating(replace(earlier.value, state=ParkedState.REPLAYED), earlier.version)]


def held_deletions_id(served: ServedCalendars, stream_id: str) -> str:
    """The id under which a calendar's held deletions wait in quarantine."""
    return parked_id(HELD_DELETIONS, _key(served, stream_id))


def _key(served: ServedCalendars, stream_id: str) -> str:
    return f"{served.mailbox_id}/{stream_id}"

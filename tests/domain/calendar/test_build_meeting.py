"""A meeting is a pure function of its copies: order, repetition and lag change nothing in the end (G25, I10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar.event import CalendarEvent, EventStatus, Guest, Times
from shared.domain.calendar.meeting import (
    NO_EXPANSION,
    Expansion,
    Holding,
    meeting_entry,
    occurrences_of,
    series_of,
)
from shared.domain.matching import Known
from shared.domain.people import Role, Viewer
from shared.domain.settings import Share

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = Times(datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 4, 10, tzinfo=UTC), "UTC")
CARLA = "carla@client.example"
KNOWN = {CARLA: (Known(CARLA, "contact", "carla"),)}
MEETING = CalendarEvent("a", EventStatus.CONFIRMED, "uid", TIMES, title="As told", guests=(Guest(CARLA),))
WEEKLY = replace(MEETING, recurrence=("RRULE:FREQ=WEEKLY",))
SECOND = replace(TIMES, start_at=TIMES.start_at + timedelta(days=7), end_at=TIMES.end_at + timedelta(days=7))
EXPANSION = Expansion((TIMES, SECOND), None)


def holding(user: str, root: CalendarEvent | None, **instances: CalendarEvent | None) -> Holding:
    return Holding(Viewer(user, Role.SALES_REP), Share.FULL, SINCE, root, instances)


@given(st.permutations(["ann", "ben", "cid"]))
def test_the_order_of_holders_does_not_matter(users: list[str]) -> None:
    holdings = [holding(user, replace(MEETING, title=user, event_id=user)) for user in users]
    (occurrence,) = occurrences_of("g", holdings, NO_EXPANSION, KNOWN)
    assert occurrence.title == "cid"
    assert occurrence.readers == ("ann:full", "ben:full", "cid:full")


def test_an_instance_told_by_one_holder_is_believed_before_anothers_series() -> None:
    """The other calendar has not heard of the move yet."""
    moved = replace(MEETING, series_id="a", title="Moved", times=SECOND)
    holdings = [
        Holding(Viewer("ann", Role.SALES_REP), Share.FULL, SINCE, WEEKLY, {TIMES.start_key: moved}),
        holding("ben", replace(WEEKLY, organizer_is_self=True)),
    ]
    first, _ = occurrences_of("g", holdings, EXPANSION, KNOWN)
    assert (first.title, first.start_at) == ("Moved", SECOND.start_at)
    assert first.readers == ("ann:full", "ben:full")


def test_nobody_holds_what_every_holder_removed() -> None:
    gone: dict[str, CalendarEvent | None] = {TIMES.start_key: None}
    holdings = [Holding(Viewer(user, Role.SALES_REP), Share.FULL, SINCE, WEEKLY, gone) for user in ("ann", "ben")]
    assert [found.start_at for found in occurrences_of("g", holdings, EXPANSION, KNOWN)] == [SECOND.start_at]


def test_a_series_is_told_by_its_organizers_copy() -> None:
    theirs = replace(WEEKLY, recurrence=("RRULE:FREQ=DAILY",), updated_at=datetime(2026, 3, 1, tzinfo=UTC))
    series = series_of([holding("ben", theirs), holding("ann", replace(WEEKLY, organizer_is_self=True))])
    assert series is not None
    assert series.recurrence == WEEKLY.recurrence


def test_one_address_on_two_contacts_stands_on_both_timelines() -> None:
    both = {CARLA: (Known(CARLA, "contact", "carla"), Known(CARLA, "contact", "twin"))}
    (occurrence,) = occurrences_of("g", [holding("ann", MEETING)], NO_EXPANSION, both)
    assert occurrence.contact_ids == ("carla", "twin")
    assert meeting_entry(occurrence, "carla").meeting.primary  # type: ignore[union-attr]  # it is a meeting
    assert not meeting_entry(occurrence, "twin").meeting.primary  # type: ignore[union-attr]  # it is a meeting


def test_a_meeting_without_contacts_stands_nowhere() -> None:
    assert occurrences_of("g", [holding("ann", MEETING)], NO_EXPANSION, {}) == []

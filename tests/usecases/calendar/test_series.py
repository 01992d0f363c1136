"""Series, moved and cancelled instances, summer time, and the rolling horizon (G27, I18, I19)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.calendar.event import Times
from shared.domain.calendar.meeting import HORIZON
from shared.records.followups import Quarantine
from tests.usecases.calendar.fake_calendar import all_day, event, instance
from tests.usecases.calendar.world import ANN, ANN_MAILBOX, BEN, BEN_MAILBOX, CARLA, DAN, World

BERLIN = ZoneInfo("Europe/Berlin")
WEEKLY = ("RRULE:FREQ=WEEKLY",)


def berlin(year: int, month: int, day: int, hour: int, minute: int = 0, *, minutes: int = 60) -> Times:
    start_at = datetime(year, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)
    return Times(start_at, start_at + timedelta(minutes=minutes), "Europe/Berlin")


def test_a_series_stands_as_its_occurrences_from_the_window_to_the_horizon(world: World) -> None:
    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY))
    world.connect()
    starts = world.starts()
    assert starts[0] == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert len(starts) == 13
    assert starts[-1] < world.clock.now() + HORIZON
    assert all(entry.meeting and entry.meeting.repeats for entry in world.timeline("carla"))


def test_nine_o_clock_stays_nine_o_clock_across_summer_time(world: World) -> None:
    world.ann.put(event("weekly", berlin(2026, 3, 23, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",)))
    world.connect()
    assert [start.hour for start in world.starts()] == [8, 7, 7]
    assert {start.astimezone(BERLIN).hour for start in world.starts()} == {9}


def test_a_moved_instance_keeps_its_identity_and_the_others_their_times(world: World) -> None:
    series = event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY)
    world.ann.put(series)
    world.connect()
    before = {entry.entry_id for entry in world.timeline("carla")}

    world.ann.put(instance(series, berlin(2026, 3, 10, 9), berlin(2026, 3, 11, 14), title="Moved"))
    world.read()
    assert {entry.entry_id for entry in world.timeline("carla")} == before
    moved = next(entry for entry in world.timeline("carla") if entry.meeting and entry.meeting.title == "Moved")
    assert moved.at == datetime(2026, 3, 11, 13, tzinfo=UTC)
    assert datetime(2026, 3, 10, 8, tzinfo=UTC) not in world.starts()


def test_a_cancelled_instance_goes_and_the_series_stays(world: World) -> None:
    series = event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY)
    world.ann.put(series)
    world.ann.put(instance(series, berlin(2026, 3, 10, 9), None))
    world.connect()
    assert datetime(2026, 3, 10, 8, tzinfo=UTC) not in world.starts()
    assert len(world.starts()) == 12


def test_a_cancelled_instance_that_comes_before_its_series_counts(world: World) -> None:
    """Pages come in no order: the instance is told on a page before the series."""
    series = event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY)
    world.ann.page_size = 1
    world.ann.put(replace(instance(series, berlin(2026, 3, 10, 9), None), event_id="a-comes-first"))
    world.ann.put(series)
    world.connect()
    assert len(world.starts()) == 12

    world.ann.put(replace(instance(series, berlin(2026, 3, 10, 9), berlin(2026, 3, 10, 9)), event_id="a-comes-first"))
    world.read()
    assert len(world.starts()) == 13


def test_excluded_and_added_dates_count(world: World) -> None:
    lines = (
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin:20260310T090000",
        "RDATE;TZID=Europe/Berlin:20260312T090000",
    )
    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=lines))
    world.connect()
    assert [start.day for start in world.starts()] == [3, 12, 17, 24]


def test_all_day_series_repeat_in_days(world: World) -> None:
    fair = all_day(date(2026, 3, 28), date(2026, 3, 30))
    world.ann.put(event("fair", fair, CARLA, recurrence=("RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260401",)))
    world.connect()
    days = [entry.meeting.all_day for entry in world.timeline("carla") if entry.meeting]
    assert days == [("2026-03-28", "2026-03-30"), ("2026-03-30", "2026-04-01"), ("2026-04-01", "2026-04-03")]


def test_a_series_that_is_deleted_takes_every_instance_along(world: World) -> None:
    series = event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY)
    world.ann.put(series)
    world.ann.put(instance(series, berlin(2026, 3, 10, 9), berlin(2026, 3, 11, 14), title="Moved"))
    world.connect()
    world.ann.delete("weekly")
    world.read()
    assert world.starts() == []
    assert "Moved" not in world.words()


def test_a_single_meeting_that_becomes_a_series_leaves_no_second_entry(world: World) -> None:
    world.ann.put(event("talk", berlin(2026, 3, 3, 9), CARLA))
    world.connect()
    world.ann.put(event("talk", berlin(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",)))
    world.read()
    assert [start.day for start in world.starts()] == [3, 10]


def test_a_guest_of_one_instance_has_that_one_alone(world: World) -> None:
    series = event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY)
    both = instance(series, berlin(2026, 3, 10, 9), berlin(2026, 3, 10, 9))
    dan_too = replace(both, guests=(*both.guests, *event("x", berlin(2026, 3, 3, 9), DAN).guests))
    world.ann.put(series)
    world.ann.put(dan_too)
    world.connect()
    assert [start.day for start in world.starts("dan")] == [10]
    assert len(world.starts("carla")) == 13


def test_an_instance_without_its_series_stands_alone(world: World) -> None:
    """Somebody invited to one occurrence has no series in their calendar."""
    series = event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY)
    world.ann.put(instance(series, berlin(2026, 3, 10, 9), berlin(2026, 3, 10, 9)))
    world.connect()
    assert [start.day for start in world.starts()] == [10]


def test_i18_an_instance_has_one_identity_in_every_calendar_and_every_reading(world: World) -> None:
    """The same occurrence told by the series, as a moved instance, by a second calendar and after a full re-read."""
    series = event("weekly", berlin(2026, 3, 3, 9), ANN, BEN, CARLA, recurrence=WEEKLY)
    world.ann.put(series)
    world.ben.put(replace(series, event_id="bens-copy", organizer_is_self=False))
    world.connect(ANN_MAILBOX, BEN_MAILBOX)
    ids = [entry.entry_id for entry in world.timeline("carla")]

    moved = instance(series, berlin(2026, 3, 10, 9), berlin(2026, 3, 10, 16))
    world.ann.put(moved)
    bens = replace(series, event_id="bens-copy", organizer_is_self=False)
    world.ben.put(instance(bens, berlin(2026, 3, 10, 9), berlin(2026, 3, 10, 16)))
    world.ann.expire_tokens()
    world.read(ANN_MAILBOX)
    world.read(BEN_MAILBOX)
    assert [entry.entry_id for entry in world.timeline("carla")] == ids
    assert len(set(ids)) == len(ids) == 13
    assert all(occurrence.readers == ("ann:full", "ben:full") for occurrence in world.events())


def test_i18_one_holder_who_removes_an_instance_takes_it_from_nobody_else(world: World) -> None:
    series = event("weekly", berlin(2026, 3, 3, 9), ANN, BEN, CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",))
    bens = replace(series, event_id="bens-copy", organizer_is_self=False)
    world.ann.put(series)
    world.ben.put(bens)
    world.ben.put(instance(bens, berlin(2026, 3, 10, 9), None))
    world.connect(ANN_MAILBOX, BEN_MAILBOX)
    assert [occurrence.readers for occurrence in world.events()] == [("ann:full", "ben:full"), ("ann:full",)]


def test_i19_the_horizon_rolls_on_with_the_days(world: World) -> None:
    """Weeks pass without a change in the calendar: there are always ninety days of meetings ahead."""
    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY))
    world.connect()
    for _ in range(10):
        world.days_pass(30)
        last = world.starts()[-1]
        assert HORIZON - timedelta(days=9) < last - world.clock.now() < HORIZON
    assert len(world.starts()) == 13 + 43


def test_i19_a_weekly_series_costs_one_rebuild_a_week_and_writes_the_new_occurrence_alone(world: World) -> None:
    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=WEEKLY))
    world.connect()
    rebuilds, writes = len(world.tasks.created), world.documents.writes
    world.days_pass(28)
    rebuilds, writes = len(world.tasks.created) - rebuilds, world.documents.writes - writes
    assert rebuilds == 4
    assert writes == 4 * 3


def test_i19_a_series_that_ended_is_not_rolled_any_more(world: World) -> None:
    world.ann.put(event("short", berlin(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",)))
    world.connect()
    queued = len(world.tasks.created)
    world.days_pass(10)
    assert len(world.tasks.created) == queued


def test_a_series_whose_rule_nobody_can_read_is_parked_and_keeps_what_stands(world: World) -> None:
    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",)))
    world.connect()
    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=NEVERLY",)))
    world.read()
    assert [start.day for start in world.starts()] == [3, 10]
    (parked,) = Quarantine(world.store).parked(10)
    assert parked.value.function == "meeting_rebuild"

    world.ann.put(event("weekly", berlin(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",)))
    world.read()
    assert [start.day for start in world.starts()] == [3, 10, 17]


def test_a_daily_series_with_many_contacts_is_built_in_several_commits(world: World) -> None:
    guests = [CARLA, DAN]
    world.ann.put(event("daily", berlin(2025, 10, 1, 9), *guests, recurrence=("RRULE:FREQ=DAILY",)))
    world.connect()
    assert len(world.starts("carla")) == len(world.starts("dan")) > 200
    world.ann.delete("daily")
    world.read()
    assert world.starts("carla") == world.starts("dan") == []

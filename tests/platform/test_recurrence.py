"""Recurrence rules on the clock on the wall: zones, summer time, days, and rules nobody should send (G27)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.domain.calendar.event import Times, days
from shared.domain.calendar.meeting import Series
from shared.errors import PayloadError
from shared.platform.recurrence import DateutilRecurrence

FAR = datetime(2030, 1, 1, tzinfo=UTC)


def timed(local: str, zone: str, *, minutes: int = 60) -> Times:
    start_at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Times(start_at, start_at + timedelta(minutes=minutes), zone)


def walls(first: Times, *lines: str, since: datetime | None = None, until: datetime = FAR) -> list[str]:
    """Local starts of the occurrences, without seconds."""
    found = DateutilRecurrence().expand(Series(lines, first), since or first.start_at - timedelta(days=1), until)
    zone = ZoneInfo(first.zone)
    return [f"{times.start_at.astimezone(zone):%m-%d %H:%M}" for times in found.occurrences]


BERLIN = timed("2026-03-27T09:00", "Europe/Berlin")


def test_wall_clock_time_stays_and_utc_moves() -> None:
    assert walls(BERLIN, "RRULE:FREQ=DAILY;COUNT=4") == ["03-27 09:00", "03-28 09:00", "03-29 09:00", "03-30 09:00"]
    found = DateutilRecurrence().expand(Series(("RRULE:FREQ=DAILY;COUNT=4",), BERLIN), BERLIN.start_at, FAR)
    assert [times.start_at.hour for times in found.occurrences] == [8, 8, 7, 7]


def test_every_occurrence_lasts_as_long_as_the_first_also_through_the_night_the_clock_changes() -> None:
    night = timed("2026-03-28T23:00", "Europe/Berlin", minutes=300)
    found = DateutilRecurrence().expand(Series(("RRULE:FREQ=DAILY;COUNT=2",), night), night.start_at, FAR)
    assert {times.end_at - times.start_at for times in found.occurrences} == {timedelta(hours=5)}


def test_a_time_the_clock_skips_is_read_with_the_offset_before_the_gap() -> None:
    early = timed("2026-03-28T02:30", "Europe/Berlin")
    assert walls(early, "RRULE:FREQ=DAILY;COUNT=3") == ["03-28 02:30", "03-29 03:30", "03-30 02:30"]


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    late = timed("2026-10-24T02:30", "Europe/Berlin")
    found = DateutilRecurrence().expand(Series(("RRULE:FREQ=DAILY;COUNT=2",), late), late.start_at, FAR)
    assert found.occurrences[1].start_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("until", ["20260329T070000Z", "20260329T090000", "20260329"])
def test_until_is_inclusive_however_it_is_written(until: str) -> None:
    assert walls(BERLIN, f"RRULE:FREQ=DAILY;UNTIL={until}") == ["03-27 09:00", "03-28 09:00", "03-29 09:00"]


def test_until_a_second_earlier_leaves_the_last_one_out() -> None:
    assert walls(BERLIN, "RRULE:FREQ=DAILY;UNTIL=20260329T065959Z")[-1] == "03-28 09:00"


@pytest.mark.parametrize(
    "excluded",
    ["EXDATE:20260328T080000Z", "EXDATE;TZID=Europe/Berlin:20260328T090000", "EXDATE;TZID=Asia/Tokyo:20260328T170000"],
)
def test_excluded_dates_in_any_zone(excluded: str) -> None:
    assert walls(BERLIN, "RRULE:FREQ=DAILY;COUNT=3", excluded) == ["03-27 09:00", "03-29 09:00"]


def test_added_dates_alone_keep_the_first_occurrence() -> None:
    assert walls(BERLIN, "RDATE:20260401T070000Z,20260403T070000Z") == ["03-27 09:00", "04-01 09:00", "04-03 09:00"]


def test_rules_of_work_weeks_and_of_months() -> None:
    assert walls(BERLIN, "RRULE:FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3") == ["03-27 09:00", "03-30 09:00", "04-03 09:00"]
    last_friday = walls(BERLIN, "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3")
    assert last_friday == ["03-27 09:00", "04-24 09:00", "05-29 09:00"]
    leap = timed("2024-02-29T09:00", "UTC")
    assert DateutilRecurrence().expand(Series(("RRULE:FREQ=YEARLY",), leap), leap.start_at, FAR).occurrences[1:] == (
        timed("2028-02-29T09:00", "UTC"),
    )


def test_all_day_series_are_days_in_every_zone() -> None:
    first = days(date(2026, 3, 28), date(2026, 3, 30), "Pacific/Auckland")
    lines = ("RRULE:FREQ=WEEKLY;UNTIL=20260418", "EXDATE;VALUE=DATE:20260404")
    found = DateutilRecurrence().expand(Series(lines, first), first.start_at, FAR)
    assert [times.all_day for times in found.occurrences] == [
        ("2026-03-28", "2026-03-30"),
        ("2026-04-11", "2026-04-13"),
        ("2026-04-18", "2026-04-20"),
    ]


def test_only_the_window_is_expanded_and_what_comes_next_is_told() -> None:
    since, until = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 3, tzinfo=UTC)
    found = DateutilRecurrence().expand(Series(("RRULE:FREQ=DAILY",), BERLIN), since, until)
    assert [times.start_at.day for times in found.occurrences] == [1, 2]
    assert found.next_start_at == datetime(2026, 4, 3, 7, tzinfo=UTC)


def test_an_occurrence_that_is_under_way_at_the_windows_begin_counts() -> None:
    long = timed("2026-03-27T09:00", "UTC", minutes=3 * 24 * 60)
    found = walls(long, "RRULE:FREQ=WEEKLY;COUNT=2", since=datetime(2026, 3, 29, tzinfo=UTC))
    assert found == ["03-27 09:00", "04-03 09:00"]


def test_a_series_of_many_years_is_expanded_in_no_time() -> None:
    old = timed("1990-01-01T09:00", "Europe/Berlin")
    since, until = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
    assert len(walls(old, "RRULE:FREQ=DAILY", since=since, until=until)) == 7


def test_a_rule_without_any_occurrence_ends() -> None:
    found = DateutilRecurrence().expand(
        Series(("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",), BERLIN), BERLIN.start_at, FAR
    )
    assert (found.occurrences, found.next_start_at) == ((), None)


@pytest.mark.parametrize(
    "line",
    [
        "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=MINUTELY;INTERVAL=5",
        "RRULE:FREQ=HOURLY",
        "RRULE:FREQ=NEVERLY",
        "RRULE:",
        "RRULE:FREQ=DAILY;UNTIL=99999999",
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "EXDATE:not a date",
        "EXDATE;TZID=Middle-earth/Shire:20260328T090000",
    ],
)
def test_rules_that_cannot_be_read_or_never_stop_are_refused_in_our_words(line: str) -> None:
    lines = (line,) if line.startswith("RRULE") else ("RRULE:FREQ=DAILY;COUNT=3", line)
    with pytest.raises(PayloadError):
        DateutilRecurrence().expand(Series(lines, BERLIN), BERLIN.start_at, FAR)


def test_more_rules_than_anybody_writes_are_refused() -> None:
    with pytest.raises(PayloadError):
        DateutilRecurrence().expand(Series(("RRULE:FREQ=DAILY",) * 6, BERLIN), BERLIN.start_at, FAR)


def test_an_unknown_zone_is_refused_in_our_words() -> None:
    nowhere = Times(BERLIN.start_at, BERLIN.end_at, "Middle-earth/Shire")
    with pytest.raises(PayloadError):
        DateutilRecurrence().expand(Series(("RRULE:FREQ=DAILY",), nowhere), BERLIN.start_at, FAR)

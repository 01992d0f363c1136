"""When the instances of a series begin."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.google.calendar.series import has_start, overlaps, starts

OSLO = ZoneInfo("Europe/Oslo")


def timed(*lines: str, start: str = "2026-03-23T10:00:00+01:00") -> dict[str, Any]:
    end = start.replace("T10", "T11")
    return {
        "start": {"dateTime": start, "timeZone": "Europe/Oslo"},
        "end": {"dateTime": end, "timeZone": "Europe/Oslo"},
        "recurrence": list(lines),
    }


def all_day(*lines: str) -> dict[str, Any]:
    return {"start": {"date": "2026-05-01"}, "end": {"date": "2026-05-02"}, "recurrence": list(lines)}


def days(event: dict[str, Any]) -> list[str]:
    return [f"{moment:%m-%d}" for moment in islice(starts(event), 10)]


def test_the_clock_time_stays_when_summer_time_begins() -> None:
    moments = [moment.isoformat() for moment in starts(timed("RRULE:FREQ=WEEKLY;COUNT=2"))]
    assert moments == ["2026-03-23T10:00:00+01:00", "2026-03-30T10:00:00+02:00"]


@pytest.mark.parametrize("until", ["20260406T080000Z", "20260406", "20260406T100000", "20260407T000000Z"])
def test_the_end_of_a_rule_may_be_written_in_any_form(until: str) -> None:
    assert days(timed(f"RRULE:FREQ=WEEKLY;UNTIL={until}")) == ["03-23", "03-30", "04-06"]


@pytest.mark.parametrize("until", ["20260503", "20260503T235959Z"])
def test_an_all_day_series_has_dates(until: str) -> None:
    assert list(starts(all_day(f"RRULE:FREQ=DAILY;UNTIL={until}"))) == [date(2026, 5, day) for day in (1, 2, 3)]


@pytest.mark.parametrize("line", ["EXDATE;TZID=Europe/Oslo:20260330T100000", "EXDATE:20260330T080000Z"])
def test_excluded_dates_are_left_out(line: str) -> None:
    assert days(timed("RRULE:FREQ=WEEKLY;COUNT=3", line)) == ["03-23", "04-06"]


def test_extra_dates_come_in_order() -> None:
    lines = ("RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20260325T090000Z")
    assert days(timed(*lines)) == ["03-23", "03-25", "03-30"]
    assert days(all_day("RDATE;VALUE=DATE:20260504,20260503")) == ["05-01", "05-03", "05-04"]


def test_a_single_event_has_one_start() -> None:
    assert days(timed()) == ["03-23"]


def test_only_starts_of_the_rule_count() -> None:
    series = timed("RRULE:FREQ=DAILY")
    assert has_start(series, datetime(2026, 4, 1, 8, 0, tzinfo=UTC))
    assert not has_start(series, datetime(2026, 4, 1, 9, 0, tzinfo=UTC))
    assert not has_start(series, date(2026, 4, 1))


def test_a_series_without_end_lies_in_every_later_window() -> None:
    series = timed("RRULE:FREQ=WEEKLY")
    late = datetime(2126, 1, 1, tzinfo=UTC)
    assert overlaps(series, OSLO, after=late, before=None)
    assert not overlaps(series, OSLO, after=None, before=datetime(2026, 3, 23, 9, 0, tzinfo=UTC))
    assert not overlaps(timed("RRULE:FREQ=WEEKLY;COUNT=3"), OSLO, after=late, before=None)


@pytest.mark.parametrize(
    "line", ["RRULE:FREQ=NEVER", "EXDATE:yesterday", "SUMMARY:x", "RRULE:FREQ=DAILY\nRRULE:FREQ=DAILY"]
)
def test_lines_that_cannot_be_read_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(islice(starts(timed(line)), 3))

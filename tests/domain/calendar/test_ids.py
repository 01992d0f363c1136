"""Identities of events, meetings and instances (I18)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from shared.domain.calendar.copy import copy_id_of, meeting_id_of, stream_id_of
from shared.domain.calendar.event import days, start_key
from shared.domain.calendar.meeting import occurrence_id


def test_one_moment_has_one_key_whatever_its_offset() -> None:
    utc = datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert start_key(utc) == start_key(utc.astimezone(timezone(timedelta(hours=1))))


def test_a_day_is_no_moment() -> None:
    assert start_key(date(2026, 3, 3)) != start_key(datetime(2026, 3, 3, tzinfo=UTC))
    assert days(date(2026, 3, 3), date(2026, 3, 4), "UTC").start_key == start_key(date(2026, 3, 3))


def test_the_single_meeting_and_the_instances_of_a_series_differ() -> None:
    meeting = meeting_id_of("uid@acme.example")
    starts = [None, "2026-03-03", "2026-03-03T00:00:00+00:00", "2026-03-10T00:00:00+00:00"]
    assert len({occurrence_id(meeting, start) for start in starts}) == len(starts)


def test_one_event_id_in_two_calendars_is_two_copies() -> None:
    one, other = stream_id_of("ann@acme.example"), stream_id_of("team@group.example")
    assert copy_id_of(one, "abc") != copy_id_of(other, "abc")

"""What Google refuses in an event: times, zones and rules that cannot be read."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.google.calendar import series
from local.google.calendar.shapes import ApiEvent, api_time, moment_of
from local.google.errors import ControlError

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError)
"""What the standard library and dateutil raise for times, zones and rules that make no sense."""


def known_zone(name: str) -> str:
    """Return an IANA name unchanged. Raises: ControlError when there is no such zone."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ControlError(f"{name} is no time zone") from problem


def check_times(event: ApiEvent, time_zone: str) -> None:
    """Refuse what Google refuses, and write times as Google does.

    Raises: ControlError.
    """
    try:
        start = moment_of(event["start"], time_zone)
        end = moment_of(event["end"], event["start"].get("timeZone") or time_zone)
    except _UNREADABLE as problem:
        raise ControlError(f"an event needs a start and an end that can be read: {problem}") from problem
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise ControlError("start and end must both be dates or both be times")
    if end < start or (end == start and not isinstance(start, datetime)):
        raise ControlError("the end must not be before the start; an all-day event ends on the day after")
    event["start"], event["end"] = api_time(start), api_time(end)
    try:
        next(series.starts(event))
    except (*_UNREADABLE, StopIteration) as problem:
        raise ControlError(f"the recurrence of {event['id']} cannot be read: {problem}") from problem

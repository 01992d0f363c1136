"""When the instances of a series begin, by its recurrence lines (RFC 5545; the API keeps DTSTART out of them)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import dropwhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from local.google.calendar.shapes import ApiEvent, instant, moment_of


def starts(master: ApiEvent) -> Iterator[date | datetime]:
    """Yield the original starts in order, maybe without end; a single event has one.

    A timed series keeps its clock time in its own zone over changes to and from summer time.
    Raises: ValueError for lines that cannot be read.
    """
    first = moment_of(master["start"])
    timed = isinstance(first, datetime)
    begin = first if isinstance(first, datetime) else datetime.combine(first, time())
    days = rruleset()
    days.rdate(begin)
    for line in master.get("recurrence", ()):
        name, _, value = line.partition(":")
        kind, *parameters = name.split(";")
        kind = kind.upper()
        if kind in ("RRULE", "EXRULE"):
            rule = rrulestr(_with_fitting_end(value, begin, timed), dtstart=begin)
            if not isinstance(rule, rrule):
                raise ValueError(f"{line} is more than one rule")
            (days.rrule if kind == "RRULE" else days.exrule)(rule)
        elif kind in ("RDATE", "EXDATE"):
            for text in value.split(","):
                (days.rdate if kind == "RDATE" else days.exdate)(_moment(text, parameters, begin))
        else:
            raise ValueError(f"{kind} is no recurrence line")
    return iter(days) if timed else (moment.date() for moment in days)


def has_start(master: ApiEvent, original: date | datetime) -> bool:
    """Tell whether one instance of the series begins, by its rule, at `original`."""
    if isinstance(original, datetime) != ("dateTime" in master["start"]):
        return False
    rest = dropwhile(lambda moment: moment < original, starts(master))
    return next(iter(rest), None) == original


def duration(event: ApiEvent) -> timedelta:
    """How long the event is; for all-day events whole days."""
    begin, end = moment_of(event["start"]), moment_of(event["end"])
    if isinstance(begin, datetime) and isinstance(end, datetime):
        return end.astimezone(UTC) - begin.astimezone(UTC)
    return end - begin


def overlaps(event: ApiEvent, zone: ZoneInfo, *, after: datetime | None, before: datetime | None) -> bool:
    """Tell whether the event, or some instance of the series, ends after `after` and begins before `before` (both UTC).

    All-day dates lie in `zone`.
    """
    if before is None and any("UNTIL=" not in line and "COUNT=" not in line for line in _rules(event)):
        return True  # a series without end
    length = duration(event)
    for moment in starts(event):
        begin = instant(moment, zone)
        if before is not None and begin >= before:
            return False
        if after is None or begin + length > after:
            return True
    return False


def _rules(event: ApiEvent) -> list[str]:
    return [line.upper() for line in event.get("recurrence", ()) if line.upper().startswith("RRULE")]


def _with_fitting_end(rule: str, begin: datetime, timed: bool) -> str:
    """Give UNTIL the kind that the start has: UTC times for timed series, bare dates for all-day ones."""
    parts = []
    for part in rule.split(";"):
        key, _, value = part.partition("=")
        if key.upper() == "UNTIL":
            if not timed:
                value = value[:8]
            elif not value.upper().endswith("Z"):
                local = datetime.fromisoformat(value if "T" in value else f"{value}T235959")
                value = local.replace(tzinfo=begin.tzinfo).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        parts.append(f"{key}={value}" if value else key)
    return ";".join(parts)


def _moment(text: str, parameters: list[str], begin: datetime) -> datetime:
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), begin.timetz())
    if begin.tzinfo is None:
        return datetime.fromisoformat(text.rstrip("Z"))
    moment = datetime.fromisoformat(text)
    zone = next((part[5:] for part in parameters if part.upper().startswith("TZID=")), "")
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone) if zone else begin.tzinfo)

"""Recurrence rules expanded with dateutil, in the wall clock of the series' own time zone (G27, I19).

A series repeats on the clock on the wall: nine o'clock stays nine o'clock across a change to summer time, while each
occurrence lasts exactly as long as the first. A time the clock skips is read with the offset before the gap.

Source: RFC 5545, 3.3.10 and 3.8.5; google's `recurrence` lines are these without DTSTART.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.calendar.event import Times, days
from shared.domain.calendar.meeting import Expansion, Series
from shared.errors import PayloadError
from shared.ports.marks import reads

OCCURRENCES_AT_MOST = 1_000
"""In one expansion. A year of working days has 260; more than this is a mistake or an attack."""

STEPS_AT_MOST = 200_000
"""Dates looked at in one expansion, the excluded ones and those before it too. Twenty years of hours are 175,000."""

TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})

RULES_AT_MOST = 5
"""Of one series. One is usual; looking for an occurrence that a rule does not have takes seconds."""

_UNTIL = re.compile(r"(?<=UNTIL=)([0-9TZ]+)", re.IGNORECASE)
_FREQUENCY = re.compile(r"FREQ=([A-Z]+)", re.IGNORECASE)
_NO_INTERVAL = re.compile(r"INTERVAL=0+(?!\d)", re.IGNORECASE)


class DateutilRecurrence:
    """Implements ports.Recurrence. dateutil is loaded at the first call."""

    @reads
    def expand(self, series: Series, since: datetime, until: datetime) -> Expansion:
        clock = _Clock(series.first)
        length = series.first.end_at - series.first.start_at
        begin = clock.wall(since - length) - timedelta(days=1)
        found: list[Times] = []
        for wall in _rules(series, clock).occurrences():
            if wall < begin:
                continue
            times = clock.times(wall, length)
            if times.start_at >= until:
                return Expansion(tuple(found), times.start_at)
            if times.end_at > since:
                found.append(times)
            if len(found) > OCCURRENCES_AT_MOST:
                raise PayloadError(
                    f"a series has more than {OCCURRENCES_AT_MOST} occurrences in the time it is shown for"
                )
        return Expansion(tuple(found), None)


class _Clock:
    """The clock on the wall where a series lives: naive local times, or midnights for all-day series."""

    def __init__(self, first: Times) -> None:
        self._all_day = first.first_day is not None
        self._zone_name = first.zone
        self._zone: tzinfo = UTC if self._all_day else _zone(first.zone)
        self.first = self.wall(first.start_at)

    def wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def times(self, wall: datetime, length: timedelta) -> Times:
        if self._all_day:
            first_day = wall.date()
            return days(first_day, first_day + length, self._zone_name)
        start_at = wall.replace(tzinfo=self._zone).astimezone(UTC)
        return Times(start_at, start_at + length, self._zone_name)

    def read(self, text: str, zone_name: str | None, *, day_ends: bool = False) -> datetime:
        """An RFC 5545 date or date-time on this clock. day_ends: a bare date means the end of that day."""
        if len(text) == 8:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            if self._all_day:
                return datetime.combine(day, time())
            return datetime.combine(day, time(23, 59, 59) if day_ends else self.first.time())
        moment = datetime.strptime(text.upper().rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone is given next
        if self._all_day:
            return datetime.combine(moment.date(), time())
        if text.upper().endswith("Z"):
            return self.wall(moment.replace(tzinfo=UTC))
        return self.wall(moment.replace(tzinfo=_zone(zone_name))) if zone_name else moment


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PayloadError("a series is in a time zone that is not known") from None


class _Rules:
    """What a series is made of: each is dates in order, of the series or not of it."""

    def __init__(self) -> None:
        self.included: list[Iterable[datetime]] = []
        self.excluded: list[Iterable[datetime]] = []
        self._steps = 0

    def occurrences(self) -> Iterator[datetime]:
        """In order, each once. Raises: PayloadError where looking for the next one takes too many steps."""
        excluded = self._counted(self.excluded)
        gone, last = next(excluded, None), None
        for wall in self._counted(self.included):
            while gone is not None and gone < wall:
                gone = next(excluded, None)
            if wall not in (gone, last):
                yield wall
            last = wall

    def _counted(self, sources: list[Iterable[datetime]]) -> Iterator[datetime]:
        dates = heapq.merge(*sources)
        while True:
            self._steps += 1
            if self._steps > STEPS_AT_MOST:
                raise PayloadError(f"a series takes more than {STEPS_AT_MOST} steps to expand")
            try:
                date = next(dates, None)
            except (ValueError, OverflowError, IndexError, TypeError):  # dateutil finds out late
                raise PayloadError("a series has a rule that cannot be followed") from None
            if date is None:
                return
            yield date


def _rules(series: Series, clock: _Clock) -> _Rules:
    from dateutil.rrule import rrule, rrulestr

    rules = _Rules()
    handlers: dict[str, Callable[[str, str | None], None]] = {}

    def rule(into: list[Iterable[datetime]]) -> Callable[[str, str | None], None]:
        def handle(value: str, _: str | None) -> None:
            if any(frequency.upper() in TOO_OFTEN for frequency in _FREQUENCY.findall(value)):
                raise PayloadError("a series repeats more often than hourly")
            if _NO_INTERVAL.search(value):  # dateutil would stand still for ever
                raise PayloadError("a series repeats without an interval")
            local = _UNTIL.sub(lambda until: _basic(clock.read(until.group(1), None, day_ends=True)), value)
            parsed = rrulestr(local, dtstart=clock.first)
            if not isinstance(parsed, rrule):
                raise PayloadError("a recurrence line holds more than one rule")
            into.append(parsed)

        return handle

    def dates(into: list[Iterable[datetime]]) -> Callable[[str, str | None], None]:
        def handle(value: str, zone_name: str | None) -> None:
            texts = (text.strip().partition("/")[0] for text in value.split(","))
            into.append(sorted(clock.read(text, zone_name) for text in texts))

        return handle

    handlers["RRULE"], handlers["EXRULE"] = rule(rules.included), rule(rules.excluded)
    handlers["RDATE"], handlers["EXDATE"] = dates(rules.included), dates(rules.excluded)
    names = [name for name, _, _ in _lines(series.recurrence)]
    if sum(name.endswith("RULE") for name in names) > RULES_AT_MOST:
        raise PayloadError(f"a series has more than {RULES_AT_MOST} rules")
    for name, zone_name, value in _lines(series.recurrence):
        handler = handlers.get(name)
        if handler is None:
            continue
        try:
            handler(value, zone_name)
        except (ValueError, OverflowError, KeyError, TypeError):
            raise PayloadError(f"a series has a {name} that cannot be read") from None
    if "RRULE" not in names:
        rules.included.append([clock.first])  # a list of dates besides the first
    return rules


def _lines(recurrence: tuple[str, ...]) -> Iterator[tuple[str, str | None, str]]:
    """(name, TZID, value) of each property line."""
    for line in recurrence:
        head, _, value = line.strip().partition(":")
        name, *parameters = head.split(";")
        zone = next((kept.partition("=")[2] for kept in parameters if kept.upper().startswith("TZID=")), None)
        yield name.upper(), zone, value.strip()


def _basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")

"""The time zones of exported calendars, whatever they are called there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

# Clocks that many zones share: the best-known name of each comes before the others.
_WELL_KNOWN = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
)


@dataclass
class Zones:
    """Gives every time an IANA zone; `home` is the calendar's own, used for times that name none."""

    home: ZoneInfo
    _named: dict[str, ZoneInfo] = field(default_factory=dict)

    def placed(self, moment: datetime, *, near: ZoneInfo | None = None) -> datetime:
        """Return the same instant in an IANA zone; a time without zone is local to `near`, else to the calendar."""
        zone = moment.tzinfo
        if zone is None:
            return moment.replace(tzinfo=near or self.home)
        if isinstance(zone, ZoneInfo) and zone.key in _known():
            return moment
        name = f"{zone!r} {moment.year}"
        if name not in self._named:
            self._named[name] = _matching_zone(zone, moment.year, self.home)
        return moment.astimezone(self._named[name])


def zone_of(name: str, fallback: ZoneInfo) -> ZoneInfo:
    """The IANA zone of an IANA or Windows name, else the fallback."""
    name = WINDOWS_TO_OLSON.get(name, name)
    return ZoneInfo(name) if name in _known() else fallback


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def _matching_zone(zone: tzinfo, year: int, home: ZoneInfo) -> ZoneInfo:
    """The IANA zone that keeps the same clock as a zone defined inside the file, the calendar's own first."""
    days = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(0, 365, 6)]
    wanted = [day.replace(tzinfo=zone).utcoffset() for day in days]
    for candidate in [home, *map(ZoneInfo, (*_WELL_KNOWN, *WINDOWS_TO_OLSON.values()))]:
        if [day.replace(tzinfo=candidate).utcoffset() for day in days] == wanted:
            return candidate
    return ZoneInfo("UTC")

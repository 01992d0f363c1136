"""Ids and times as the Calendar API writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ApiEvent = dict[str, Any]
ApiTime = dict[str, str]


def api_time(moment: date | datetime) -> ApiTime:
    """Write a date, or an aware time in an IANA zone, as an EventDateTime."""
    if not isinstance(moment, datetime):
        return {"date": moment.isoformat()}
    zone = moment.tzinfo
    return {"dateTime": rfc3339(moment), "timeZone": zone.key if isinstance(zone, ZoneInfo) else "UTC"}


def moment_of(time: ApiTime, default_zone: str = "UTC") -> date | datetime:
    """Read an EventDateTime: a date, or an aware time in the zone it names.

    Raises: KeyError, ValueError, TypeError or OSError (a folder of zones) for what Google would refuse.
    """
    if "date" in time:
        return date.fromisoformat(time["date"])
    moment = datetime.fromisoformat(time["dateTime"])
    zone = ZoneInfo(time.get("timeZone") or default_zone)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=zone)
    return moment.astimezone(zone)


def instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a time, or of the midnight in `zone` that begins a date."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    return moment.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """Whole seconds with offset, UTC as Z; also where the offset has seconds, as before there were time zones."""
    if (moment.utcoffset() or timedelta(0)) % timedelta(minutes=1):
        moment = moment.astimezone(UTC)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def instance_suffix(original: date | datetime) -> str:
    """What Google adds to a series' id for one instance: its original start, `20240102` or `20240102T090000Z`."""
    if isinstance(original, datetime):
        return original.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return original.strftime("%Y%m%d")


def instance_of(series_id: str, original: date | datetime) -> ApiEvent:
    """The fields that name one instance of a series, moved or not."""
    return {
        "id": f"{series_id}_{instance_suffix(original)}",
        "recurringEventId": series_id,
        "originalStartTime": api_time(original),
    }

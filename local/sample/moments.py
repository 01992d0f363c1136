"""Days and times as the sample writes them: relative to today, so that it is always fresh."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta


def days_ago(text: str, now: datetime) -> datetime:
    """Read "172 09:14": so many days before today, at that time in UTC.

    Raises: ValueError for anything else, and for what is not past.
    """
    days, clock = text.split()
    moment = datetime.combine(now.astimezone(UTC).date() - timedelta(days=int(days)), time.fromisoformat(clock), UTC)
    if moment >= now:
        raise ValueError(f"{text} is not in the past")
    return moment


def day_from(offset: int, now: datetime) -> date:
    return now.astimezone(UTC).date() + timedelta(days=offset)

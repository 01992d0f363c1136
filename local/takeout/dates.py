"""When a message came, from whatever its file says about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from dateutil import parser as lenient

_NO_YEAR = datetime(1900, 1, 1, tzinfo=UTC)  # stands in for what a text lacks, and is then too old to be believed
_FIRST_MAIL = datetime(1990, 1, 1, tzinfo=UTC)  # before it, a date in a mail is a broken clock


def parse_date(text: str, *, now: datetime) -> datetime | None:
    """Read a mail date as aware UTC; None when it cannot be read, is older than 1990 or is later than tomorrow.

    A time without a zone is taken as UTC.
    """
    for parse in (parsedate_to_datetime, _parse_leniently):
        try:
            moment = parse(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            moment = moment.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, AttributeError, IndexError):
            continue
        return moment if _FIRST_MAIL <= moment <= now + timedelta(days=1) else None
    return None


def _parse_leniently(text: str) -> datetime:
    return lenient.parse(text, default=_NO_YEAR, tzinfos=lambda _name, offset_s: offset_s or 0)


def received_date(header: str, *, now: datetime) -> datetime | None:
    """Read the time at the end of one Received header: `by ...; Mon, 7 Apr 2025 07:31:03 -0700 (PDT)`."""
    return parse_date(header.rpartition(";")[2].strip(), now=now)


def from_line_date(line: bytes, *, now: datetime) -> datetime | None:
    """Read the time of an mbox separator: `From 1828754568043628583@xxx Mon Apr 07 14:31:02 +0000 2025`."""
    words = line.decode("ascii", "replace").split(maxsplit=2)
    return parse_date(words[2], now=now) if len(words) == 3 else None

"""Days by whole months, as contracts count them."""

from __future__ import annotations

import calendar
from datetime import date, timedelta


def months_later(first: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    years, month0 = divmod(first.month - 1 + months, 12)
    year, month = first.year + years, month0 + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def last_day(first: date, months: int) -> date:
    """The last day of a term of that many months: 2026-03-01 and 12 give 2027-02-28."""
    return months_later(first, months) - timedelta(days=1)

"""The little SuiteQL we speak: literals that cannot break out, and times as NetSuite stores them.

A date column holds the wall time of the account's time zone, without saying so. Selected plainly it loses its time of
day; TO_CHAR keeps it.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.errors import InputError, NotFoundError

_FORMAT = "YYYY-MM-DD HH24:MI:SS"
_PYTHON_FORMAT = "%Y-%m-%d %H:%M:%S"
_ONE_HOUR = timedelta(hours=1)
_QUARTER_HOUR = timedelta(minutes=15)
_ONE_MINUTE = timedelta(minutes=1)

CHANGED = f"TO_CHAR(lastmodifieddate, '{_FORMAT}') AS changed"
"""The column to select for `told_at` and `precise`."""


def select(columns: str, table: str, where: str, order_by: str = "id") -> str:
    """A whole query. There is always an order: without one, pages may overlap, and NetSuite's own order has changed.

    Args:
        where: made of our own words and of the literals below, nothing else; "" for all rows.
    """
    condition = ["WHERE", where] if where else []
    return " ".join(["SELECT", columns, "FROM", table, *condition, "ORDER BY", order_by])


def text(value: str) -> str:
    """A text literal. Raises: InputError for control characters, which no name has."""
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise InputError("A name with line breaks or other control characters cannot be looked up in NetSuite.")
    return "'" + value.replace("'", "''") + "'"


def number(record_id: str) -> str:
    """An internal id. Raises: NotFoundError for what cannot be one."""
    if not (record_id.isascii() and record_id.isdecimal()):
        raise NotFoundError("NetSuite's internal ids are numbers")
    return record_id


def since(at: datetime, zone: ZoneInfo) -> str:
    """The literal for "not before `at`". When clocks are set back within the hour, what happens then has an earlier
    wall time than `at`, so an hour more is asked for."""
    wall = _wall(at, zone)
    if _wall(at + _ONE_HOUR, zone) < wall + _ONE_HOUR:
        wall -= _ONE_HOUR
    return f"TO_DATE('{wall.strftime(_PYTHON_FORMAT)}', '{_FORMAT}')"


def told_at(changed: str, zone: ZoneInfo) -> datetime:
    """The moment a `CHANGED` column means: aware UTC, the earlier one of an hour that came twice."""
    return _moments(changed, zone)[0]


def precise(minute: datetime, changed: str, zone: ZoneInfo) -> datetime | None:
    """When a record last changed, to the second, from two half-truths; None where they contradict each other.

    Args:
        minute: aware UTC; records tell the minute only.
        changed: a `CHANGED` column: the second, in wall time.
    """
    return next((moment for moment in _moments(changed, zone) if minute <= moment < minute + _ONE_MINUTE), None)


def is_of_another_zone(minute: datetime, changed: str, zone: ZoneInfo) -> bool:
    """Whether the two are so far apart that `zone` cannot be the account's: zones differ by quarters of an hour."""
    return all(abs(moment - minute) >= _QUARTER_HOUR - _ONE_MINUTE for moment in _moments(changed, zone))


def _moments(changed: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments that a wall time may mean: the same twice, but for the hour that comes twice."""
    wall = datetime.strptime(changed, _PYTHON_FORMAT).replace(tzinfo=zone)
    return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)

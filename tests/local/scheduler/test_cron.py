"""When cron says a job is due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.scheduler.cron import Cron

FRIDAY_NOON = datetime(2026, 1, 30, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("* * * * *", (2026, 1, 30, 12, 1)),
        ("*/5 * * * *", (2026, 1, 30, 12, 5)),
        ("0 12 * * *", (2026, 1, 31, 12, 0)),
        ("30 3 * * *", (2026, 1, 31, 3, 30)),
        ("15,45 9-17/4 * * *", (2026, 1, 30, 13, 15)),
        ("0 0 29 2 *", (2028, 2, 29, 0, 0)),
        ("0 6 * * 1", (2026, 2, 2, 6, 0)),
        ("0 6 * * 7", (2026, 2, 1, 6, 0)),
        ("0 0 15 * 6", (2026, 1, 31, 0, 0)),  # day 15 or Saturday, whichever comes first
        ("7/20 * * * *", (2026, 1, 30, 12, 7)),
    ],
)
def test_next_due_minute(expression: str, due: tuple[int, int, int, int, int]) -> None:
    assert Cron.parse(expression).next_after(FRIDAY_NOON) == datetime(*due, tzinfo=UTC)


def test_due_minute_itself_is_not_due_again() -> None:
    at = datetime(2026, 1, 30, 12, 5, tzinfo=UTC)

    assert Cron.parse("*/5 * * * *").next_after(at) == datetime(2026, 1, 30, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("* * * *", "4 fields"),
        ("60 * * * *", "outside 0-59, the range of a minute"),
        ("* 9-5 * * *", "outside 0-23, the range of a hour"),
        ("*/0 * * * *", "range of a minute"),
        ("* * * JAN *", "'JAN' is not a month"),
        ("0 0 31 2 *", "a day that never comes"),
    ],
)
def test_unreadable_expression_names_its_field(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Cron.parse(expression)

"""Times and subjects as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.run.importing import span
from local.run.words import ago, conversation, count, day, meeting_time, one_line

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_days_near_today_have_names() -> None:
    near = [day(NOON + timedelta(days=days), NOON) for days in (-1, 0, 1)]

    assert near == ["Yesterday", "Today", "Tomorrow"]


def test_other_years_are_told() -> None:
    assert day(datetime(2026, 1, 5, 12, tzinfo=UTC), NOON) == "5 Jan"
    assert day(datetime(2024, 1, 5, 12, tzinfo=UTC), NOON) == "5 Jan 24"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON - timedelta(seconds=20), "just now"),
        (NOON - timedelta(minutes=1), "1 minute ago"),
        (NOON - timedelta(hours=5), "5 hours ago"),
        (NOON + timedelta(days=2), "in 2 days"),
    ],
)
def test_distances_in_the_largest_unit(moment: datetime, text: str) -> None:
    assert ago(moment, NOON) == text


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Re: Offer", "Offer"),
        ("AW: WG: Re[2]: Angebot", "Angebot"),
        ("Ref: 12", "Ref: 12"),
        ("Re:", "(no subject)"),
        ("", "(no subject)"),
    ],
)
def test_a_conversation_is_called_by_its_subject_alone(subject: str, title: str) -> None:
    assert conversation(subject) == title


def test_meetings_last_hours_or_days() -> None:
    end = NOON + timedelta(hours=1)

    assert meeting_time(NOON, end, ["2026-03-10", "2026-03-11"]) == "all day"
    assert meeting_time(NOON, end, ["2026-03-10", "2026-03-13"]) == "3 days"
    assert meeting_time(NOON, end, None).count(":") == 2


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (42.2, "42 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min"), (None, "unknown")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_one_and_many() -> None:
    assert (count(1, "mail"), count(0, "mail")) == ("1 mail", "0 mails")


def test_a_text_of_several_lines_becomes_one() -> None:
    assert one_line("a\n\n  b").plain == "a b"

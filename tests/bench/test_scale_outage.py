"""A queue through an outage, by hand."""

from __future__ import annotations

import pytest

from bench.scale.facts import assumptions
from bench.scale.outage import STEPS_A_DAY, day_of, simulate


def test_what_fits_is_served_in_its_minute() -> None:
    day = simulate([3, 3, 3], [5, 5, 5])
    assert [minute.served for minute in day.minutes] == [3, 3, 3]
    assert (day.most, day.longest_wait_s) == (0, 0)


def test_two_minutes_of_outage_by_hand() -> None:
    """4 come each minute and 6 can go: two minutes leave 8, which go down by 2 a minute."""
    day = simulate([4] * 8, [6, 0, 0, 6, 6, 6, 6, 6])
    assert [minute.backlog for minute in day.minutes] == [0, 4, 8, 6, 4, 2, 0, 0]
    assert [minute.served for minute in day.minutes] == [4, 0, 0, 6, 6, 6, 6, 4]
    assert [minute.oldest_s for minute in day.minutes] == [0, 60, 120, 120, 60, 60, 0, 0]
    assert (day.most, day.longest_wait_s) == (8, 120)


def test_the_first_in_the_queue_is_served_first() -> None:
    day = simulate([10, 1, 0], [0, 4, 4])
    assert [minute.oldest_s for minute in day.minutes] == [60, 120, 180]
    assert day.left == 3


def test_it_has_settled_when_nothing_old_waits() -> None:
    day = simulate([4] * 10, [6, 0, 0, 0, 0, 6, 6, 6, 6, 6])
    assert day.minutes[4].oldest_s == 240
    assert day.settled_after(5) == 4
    assert simulate([4] * 10, [6, 0, 0, 0, 0, 1, 1, 1, 1, 1]).settled_after(5) is None


@pytest.mark.parametrize("capacity", [0.0, 0.4, 1.0, 30.0])
@pytest.mark.parametrize("outage", [range(0), range(540, 600), range(STEPS_A_DAY)])
def test_nothing_is_lost_or_invented(capacity: float, outage: range) -> None:
    day = day_of(assumptions().world.hours_of_day, 50_000, 0.1, capacity, outage)
    assert day.arrived == pytest.approx(50_000 + 0.1 * 86_400)
    assert day.arrived == pytest.approx(day.served + day.left)
    running = 0.0
    for minute in day.minutes:
        running += minute.arrived - minute.served
        assert minute.backlog == pytest.approx(running, abs=1e-3)


def test_a_days_outage_leaves_the_hour_that_came_in_it() -> None:
    hours = [1 / 24] * 24
    day = day_of(hours, 24 * 3600, 0.0, 2.0, range(540, 600))  # one a second, and two can go
    assert day.most == pytest.approx(3600)
    assert day.longest_wait_s == 3600
    assert day.settled_after(600) == 58  # two minutes of arrivals before it is empty

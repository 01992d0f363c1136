"""A queue through a day in which its vendor is away for an hour: what comes, what is served, what waits.

Mail is counted in fractions (thousands of mailboxes make a stream), first come first served, minute by minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

STEP_S = 60
STEPS_A_DAY = 24 * 60
SETTLED_S = 2 * STEP_S
"""A queue whose oldest task is younger than this is as it always is."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What a minute ended with. oldest_s: how long the first in the queue has waited."""

    arrived: float
    served: float
    backlog: float
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Day:
    minutes: tuple[Minute, ...]

    @property
    def arrived(self) -> float:
        return sum(minute.arrived for minute in self.minutes)

    @property
    def served(self) -> float:
        return sum(minute.served for minute in self.minutes)

    @property
    def left(self) -> float:
        """What still waits when the day is over."""
        return self.minutes[-1].backlog if self.minutes else 0.0

    @property
    def most(self) -> float:
        """The longest the queue was."""
        return max((minute.backlog for minute in self.minutes), default=0.0)

    @property
    def longest_wait_s(self) -> float:
        return max((minute.oldest_s for minute in self.minutes), default=0.0)

    def settled_after(self, end: int) -> int | None:
        """Minutes from the beginning of minute `end` until nothing old waits; None if that does not come this day."""
        for passed, minute in enumerate(self.minutes[end:], start=1):
            if minute.oldest_s <= SETTLED_S:
                return passed
        return None


def simulate(arrivals: Sequence[float], capacities: Sequence[float]) -> Day:
    """One minute after the other. arrivals, capacities: tasks of each minute; 0 of capacity is an outage."""
    waiting: deque[list[float]] = deque()
    minutes = []
    for number, (arrived, capacity) in enumerate(zip(arrivals, capacities, strict=True)):
        if arrived > 0:
            waiting.append([number, arrived])
        left = capacity
        while waiting and left > 0:
            taken = min(left, waiting[0][1])
            waiting[0][1] -= taken
            left -= taken
            if waiting[0][1] <= 1e-9:
                waiting.popleft()
        oldest_s = (number + 1 - waiting[0][0]) * STEP_S if waiting else 0.0
        backlog = sum(amount for _, amount in waiting)
        minutes.append(Minute(arrived, capacity - left, backlog, oldest_s))
    return Day(tuple(minutes))


def day_of(
    hours: Sequence[float], a_day: float, steady_a_second: float, capacity_a_second: float, outage: range
) -> Day:
    """hours: shares of a day's `a_day` tasks. outage: minutes of the day in which nothing is served."""
    arrivals = [steady_a_second * STEP_S + a_day * share / 60 for share in hours for _ in range(60)]
    capacities = [0.0 if minute in outage else capacity_a_second * STEP_S for minute in range(STEPS_A_DAY)]
    return simulate(arrivals, capacities)

"""Virtual time, and handlers that take turns in it.

A handler runs in a greenlet and pauses at every call of a port, for as long as that call takes. Whoever is due first
goes on, so handlers meet in every order that latencies can bring about, and a seed brings about the same one again.
Nothing waits for real.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from greenlet import getcurrent, greenlet

from shared.ports.marks import reads
from tests.simulation.runs import Run

MOST_EVENTS_AN_HOUR = 60_000


class RestlessError(AssertionError):
    """More happens within an hour than a plan can ask for: something goes round in circles."""


class Hub:
    """The events to come, and the time."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._now_s = 0.0
        self._until_s = 0.0
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._count = count()
        self.main = getcurrent()
        self._runs: WeakKeyDictionary[Any, Run] = WeakKeyDictionary()

    @property
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._now_s)

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let `action` happen in so many seconds; what is due already happens next."""
        heapq.heappush(self._events, (self._now_s + max(0.0, seconds), next(self._count), action))

    def at(self, moment: datetime, action: Callable[[], object]) -> None:
        self.after((moment - self.now).total_seconds(), action)

    def start(self, work: Callable[[], None], run: Run) -> None:
        """Begin a handler now, which carries its run; it goes on as its pauses end."""
        handler = greenlet(work, parent=self.main)
        self._runs[handler] = run
        handler.switch()

    @property
    def running(self) -> Run | None:
        """The run of the handler that asks; None outside of handlers."""
        return self._runs.get(getcurrent())

    def pause(self, seconds: float) -> None:
        """The handler that calls waits; others go on meanwhile. Outside of handlers nothing passes."""
        current = getcurrent()
        if current is self.main:
            return
        due_s = self._now_s + seconds
        if due_s < self._until_s and (not self._events or self._events[0][0] > due_s):
            self._now_s = due_s  # nobody else is due before: there is nothing to switch to
            return
        self.after(seconds, current.switch)
        self.main.switch()

    def run_until(self, moment: datetime) -> None:
        """Let everything happen that is due before `moment`."""
        self._until_s = (moment - self._start).total_seconds()
        most = MOST_EVENTS_AN_HOUR * (1 + (self._until_s - self._now_s) / 3_600)
        begun_at = next(self._count)
        while self._events and self._events[0][0] < self._until_s:
            due_s, _, action = heapq.heappop(self._events)
            self._now_s = max(self._now_s, due_s)
            action()
            if next(self._count) - begun_at > most:
                raise RestlessError(f"more than {most:,.0f} events before {self.now:%H:%M:%S}")
        self._now_s = max(self._now_s, self._until_s)


class HubClock:
    """The true time, or that of a worker whose clock is wrong by `skew_s`."""

    def __init__(self, hub: Hub, skew_s: float = 0.0) -> None:
        self._hub = hub
        self._skew = timedelta(seconds=skew_s)

    @reads
    def now(self) -> datetime:
        return self._hub.now + self._skew

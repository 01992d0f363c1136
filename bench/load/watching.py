"""What a load does to the cloud: queues, memory and processor time by part, sampled while it lasts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import psutil

from bench.chaos.leftovers import queues
from bench.cloud import BenchCloud

EVERY_S = 1.0
MEMORY_EVERY = 5
"""Every fifth sample reads memory, which takes long."""

PARTS = ("functions", "firestore", "pubsub", "tasks", "google", "vendors", "bridge")


@dataclass(slots=True)
class Watched:
    """backlog: (second, tasks that should run now). functions_mib: (second, memory of the functions' processes)."""

    backlog: list[tuple[float, int]] = field(default_factory=list)
    deepest: Counter[str] = field(default_factory=Counter)
    functions_mib: list[tuple[float, float]] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)
    lasted_s: float = 0.0

    def backlog_at_end(self) -> float:
        """The median of the second half: a poll of every mailbox at once is a peak and no backlog."""
        return median(due for _, due in self.backlog[len(self.backlog) // 2 :]) if self.backlog else 0.0

    def cores(self) -> dict[str, float]:
        """Processor seconds a second, by part."""
        return {part: round(used / self.lasted_s, 2) for part, used in self.cpu_s.items()}


@contextmanager
def watching(cloud: BenchCloud, *, memory: bool = False) -> Iterator[Watched]:
    """Sample while the block runs."""
    watched, ended = Watched(), threading.Event()
    before, began = _cpu_s(cloud), time.monotonic()
    sampling = threading.Thread(target=_sample, args=(cloud, watched, ended, began, memory))
    sampling.start()
    try:
        yield watched
    finally:
        ended.set()
        sampling.join()
        watched.lasted_s = time.monotonic() - began
        after = _cpu_s(cloud)
        watched.cpu_s = {part: after[part] - before[part] for part in PARTS}


def _sample(cloud: BenchCloud, watched: Watched, ended: threading.Event, began: float, memory: bool) -> None:
    number = 0
    while not ended.wait(EVERY_S):
        due = {name: int(about["due"]) for name, about in queues(cloud).items()}
        second = time.monotonic() - began
        watched.backlog.append((second, sum(due.values())))
        watched.deepest |= Counter(due)
        if memory and number % MEMORY_EVERY == 0:
            watched.functions_mib.append((second, _memory_mib(cloud)))
        number += 1


def _tree(cloud: BenchCloud, part: str) -> list[psutil.Process]:
    head = psutil.Process(cloud.supervisor.pid(part))
    return [head, *head.children(recursive=True)]


def _cpu_s(cloud: BenchCloud) -> dict[str, float]:
    return {part: sum(sum(one.cpu_times()[:2]) for one in _tree(cloud, part)) for part in PARTS}


def _memory_mib(cloud: BenchCloud) -> float:
    return sum(one.memory_info().rss for one in _tree(cloud, "functions")) / 2**20


def slope_per_minute(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line through the points (least squares); their first value is a second."""
    if len(points) < 2:
        return 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return 60 * sum((x - middle_x) * (y - middle_y) for x, y in points) / spread

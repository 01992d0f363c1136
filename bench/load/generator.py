"""Posts at a given rate, whether answers come or not, and how long each took from the moment it was due."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from random import Random
from threading import Lock

import urllib3

from bench.load.traffic import Traffic
from bench.timings import percentile

SENDERS = 32
ANSWERED_WITHIN_S = 10.0
WELL = range(200, 300)


@dataclass(slots=True)
class Answers:
    """taken_ms: from when a post was due to its whole answer, by kind. statuses: 0 for none within ten seconds."""

    taken_ms: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, kind: str, taken_ms: float, status: int) -> None:
        with self._lock:
            self.taken_ms.setdefault(kind, []).append(taken_ms)
            self.statuses[status] += 1

    @property
    def all_ms(self) -> list[float]:
        return [taken for kind in self.taken_ms.values() for taken in kind]

    @property
    def count(self) -> int:
        return self.statuses.total()

    @property
    def error_rate(self) -> float:
        return sum(times for status, times in self.statuses.items() if status not in WELL) / max(1, self.count)

    def percentiles(self) -> Mapping[str, float]:
        values = self.all_ms
        return {f"p{percent}": round(percentile(values, percent), 1) for percent in (50, 90, 99)} | {
            "max": round(max(values), 1)
        }


class Generator:
    """Its senders live as long as it does; connections are kept."""

    def __init__(self, traffic: Traffic, seed: int = 0) -> None:
        self._traffic = traffic
        self._chance = Random(seed)
        self._http = urllib3.PoolManager(maxsize=SENDERS, retries=False, timeout=ANSWERED_WITHIN_S)
        self._senders = ThreadPoolExecutor(SENDERS)

    def drive(self, rate_per_s: float, lasts_s: float) -> Answers:
        """Independent arrivals at this rate; returns when the last was answered."""
        answers = Answers()
        began = time.perf_counter()
        due_s, sent = 0.0, []
        while (due_s := due_s + self._chance.expovariate(rate_per_s)) < lasts_s:
            time.sleep(max(0.0, began + due_s - time.perf_counter()))
            sent.append(self._senders.submit(self._send, began + due_s, answers))
        wait(sent)
        for one in sent:
            one.result()
        return answers

    def close(self) -> None:
        self._senders.shutdown()

    def _send(self, due_at_s: float, answers: Answers) -> None:
        kind, make = self._traffic.next()
        waited_s = time.perf_counter() - due_at_s
        post = make()  # what the vendor does before it tells us is no part of our answer
        began = time.perf_counter()
        try:
            url = f"{self._traffic.cloud.url(post.function)}{post.path}"
            status = self._http.request("POST", url, body=post.body, headers=dict(post.headers)).status
        except urllib3.exceptions.HTTPError:
            status = 0
        answers.add(kind, 1000 * (waited_s + time.perf_counter() - began), status)

"""Find the knee by rising rates, then drive four fifths of it for minutes, and tell what was seen."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.chaos.leftovers import queues
from bench.chaos.storm import function_workers
from bench.cloud import BenchCloud, running_cloud
from bench.load.generator import Answers, Generator
from bench.load.traffic import Traffic, open_traffic
from bench.load.watching import Watched, slope_per_minute, watching
from bench.sellers import reading_the_store
from bench.timings import percentile

QUOTA_UNITS_PER_MINUTE = 600_000
SLOWEST_P99_MS = 1_000.0
MOST_ERRORS = 0.01
BEHIND_S = 2.0
"""So many seconds' worth of arrivals may wait as tasks at the end of a step; more is a backlog."""

TRIES = 2
"""A rate is too high when it bends twice: others may use the machine."""

SHARE_OF_KNEE = 0.8
DRAINED_WITHIN_S = 180.0
UV = Path(sys.executable).with_name("uv")
WARM_UP_S = 8.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """rates: arrivals a second of each step, rising. at_rate: skip the search and drive this one. profile: where a
    flame graph of the functions' worker goes."""

    rates: Sequence[float] = (4, 8, 12, 16, 20, 25, 30, 36, 44, 54)
    step_s: float = 20.0
    lasts_s: float = 300.0
    at_rate: float | None = None
    profile: Path | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One rate, driven for a while."""

    rate_per_s: float
    answers: Answers
    watched: Watched

    @property
    def bends(self) -> str:
        """Why this is beyond the knee; "" where it is not."""
        if self.answers.error_rate > MOST_ERRORS:
            return f"{self.answers.error_rate:.1%} errors"
        if (slowest := percentile(self.answers.all_ms, 99)) > SLOWEST_P99_MS:
            return f"p99 is {slowest:.0f} ms"
        if (behind := self.watched.backlog_at_end()) > BEHIND_S * self.rate_per_s:
            return f"{behind:.0f} tasks are due"
        return ""

    def told(self) -> dict[str, Any]:
        by_kind = {kind: round(percentile(taken, 99), 1) for kind, taken in sorted(self.answers.taken_ms.items())}
        return {
            "rate_per_s": self.rate_per_s,
            "answered": self.answers.count,
            "errors": {
                str(status): times for status, times in self.answers.statuses.items() if not 200 <= status < 300
            },
            "answer_ms": dict(self.answers.percentiles()),
            "p99_ms_by_kind": by_kind,
            "due_at_end": round(self.watched.backlog_at_end(), 1),
            "deepest_queues": dict(self.watched.deepest.most_common(4)),
            "cores": self.watched.cores(),
            "bends": self.bends,
        }


@dataclass(slots=True)
class Outcome:
    steps: list[dict[str, Any]] = field(default_factory=list)
    knee_per_s: float | None = None
    sustained: dict[str, Any] = field(default_factory=dict)


def run(wanted: Wanted, tell: Callable[[str], None]) -> Outcome:
    outcome = Outcome()
    with running_cloud(quota_units_per_minute=QUOTA_UNITS_PER_MINUTE) as cloud, reading_the_store(cloud):
        traffic = open_traffic(cloud)
        generator = Generator(traffic)
        try:
            generator.drive(wanted.rates[0], WARM_UP_S)
            _drain(cloud)
            rate = wanted.at_rate or _search(wanted, cloud, generator, outcome, tell)
            outcome.sustained = _sustain(wanted, cloud, traffic, generator, rate, tell)
        finally:
            generator.close()
    return outcome


def _search(
    wanted: Wanted, cloud: BenchCloud, generator: Generator, outcome: Outcome, tell: Callable[[str], None]
) -> float:
    """Returns: four fifths of the highest rate that did not bend."""
    good = wanted.rates[0]
    for rate in wanted.rates:
        if not any(_holds(rate, wanted, cloud, generator, outcome, tell) for _ in range(TRIES)):
            break
        good = rate
    outcome.knee_per_s = good
    return SHARE_OF_KNEE * good


def _holds(
    rate: float, wanted: Wanted, cloud: BenchCloud, generator: Generator, outcome: Outcome, tell: Callable[[str], None]
) -> bool:
    with watching(cloud) as watched:
        answers = generator.drive(rate, wanted.step_s)
    step = Step(rate, answers, watched)
    outcome.steps.append(step.told())
    tell(_line(outcome.steps[-1]))
    _drain(cloud)
    return not step.bends


def _sustain(
    wanted: Wanted,
    cloud: BenchCloud,
    traffic: Traffic,
    generator: Generator,
    rate: float,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    before = set(traffic.delivered_at)
    with watching(cloud, memory=True) as watched, _profiled(cloud, wanted):
        answers = generator.drive(rate, wanted.lasts_s)
    drained_s = _drain(cloud)
    step = Step(rate, answers, watched)
    tell(_line(step.told()))
    landed = {path: took for path, took in traffic.landed().items() if path not in before}
    second_half = watched.functions_mib[len(watched.functions_mib) // 2 :]
    return {
        **step.told(),
        "lasted_s": round(watched.lasted_s),
        "drained_s": round(drained_s, 1),
        "mails": len(set(traffic.delivered_at) - before),
        "mails_landed": len(landed),
        "mail_to_row_s": {f"p{one}": round(percentile(list(landed.values()), one), 2) for one in (50, 90, 99)},
        "functions_mib": [[round(second), round(mib, 1)] for second, mib in watched.functions_mib],
        "functions_mib_per_minute": round(slope_per_minute(second_half), 2),
        "due": [[round(second), due] for second, due in watched.backlog[::5]],
    }


def _drain(cloud: BenchCloud) -> float:
    """Wait until no task is due; returns how long that took."""
    began = time.monotonic()
    while any(about["due"] for about in queues(cloud).values()):
        if time.monotonic() - began > DRAINED_WITHIN_S:
            raise TimeoutError(f"tasks are still due after {DRAINED_WITHIN_S:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - began


@contextmanager
def _profiled(cloud: BenchCloud, wanted: Wanted) -> Iterator[None]:
    """py-spy beside the functions' worker while the block runs, where one was asked for."""
    if wanted.profile is None:
        yield
        return
    [worker] = function_workers(cloud.supervisor.pid("functions")).values()
    recording = ("record", "--pid", str(worker), "--format", "raw", "--rate", "100", "--gil", "--nonblocking")
    into = ("--duration", str(int(wanted.lasts_s)), "--output", str(wanted.profile.resolve()))
    spy = subprocess.Popen([str(UV), "tool", "run", "--from", "py-spy", "py-spy", *recording, *into], cwd="/")
    try:
        yield
    finally:
        spy.wait()


def _line(told: dict[str, Any]) -> str:
    ms = told["answer_ms"]
    cores = " ".join(f"{part} {used}" for part, used in told["cores"].items() if used >= 0.05)
    return (
        f"{told['rate_per_s']:>5.1f}/s  p50 {ms['p50']:>7.1f}  p99 {ms['p99']:>8.1f} ms  "
        f"due {told['due_at_end']:>6.1f}  cores: {cores}  {told['bends']}"
    )

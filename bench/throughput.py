"""Messages ingested per second, and per second of one core, where Google's quota is no limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from bench.cloud import BenchCloud, running_cloud, wait_for
from bench.mailboxes import CONTACT, CONVERSATIONS, SINGLES, Shape, messages
from bench.report import Figure, Report

QUOTA = 600_000
RUNS, QUICK_RUNS = 5, 2
MESSAGES, QUICK_MESSAGES = 150, 32
SHAPES = (("with threads.get", CONVERSATIONS), ("without threads.get", SINGLES))


@dataclass(frozen=True, slots=True)
class Import:
    """One mailbox imported: messages per second of the clock, and per processor second of the functions."""

    a_second: float
    a_core_second: float


def run(quick: bool) -> Report:
    """Backfills of one mailbox after the other: all logged, once through threads and once message by message."""
    count, runs = (QUICK_MESSAGES, QUICK_RUNS) if quick else (MESSAGES, RUNS)
    figures = []
    with running_cloud(quota_units_per_minute=QUOTA) as cloud:
        cloud.add_contacts([CONTACT])
        _import(cloud, "warm", CONVERSATIONS, QUICK_MESSAGES)
        for name, shape in SHAPES:
            imports = [_import(cloud, f"{shape.sizes[0]}-{number}", shape, count) for number in range(runs)]
            detail = f"{count} messages"
            figures += [
                Figure(f"ingested {name}", median(one.a_second for one in imports), "1/s", None, detail),
                Figure(f"ingested per core {name}", median(one.a_core_second for one in imports), "1/s"),
            ]
        refused = sum(sum(use["refused"].values()) for use in cloud.control("/quota")["gmail"].values())
    figures.append(Figure("calls refused by Gmail", refused, "calls"))
    note = (
        f"Medians of {runs} imports, quota {QUOTA:,} units a minute. Core: a processor second of the functions alone; "
        "emulators and simulator share this machine's processors with them."
    )
    return Report("throughput", tuple(figures), (note,))


def _import(cloud: BenchCloud, name: str, shape: Shape, count: int) -> Import:
    address = cloud.add_user(name)
    cloud.seed(address, messages(shape, count, owner=address, until=datetime.now(UTC)))
    cpu_before, began = cloud.cpu_s("functions_server"), time.perf_counter()
    cloud.connect(address)
    wait_for(lambda: cloud.imported(address), within_s=120, every_s=0.02)
    took_s, cpu_s = time.perf_counter() - began, cloud.cpu_s("functions_server") - cpu_before
    if cloud.logged(address) != count:
        raise RuntimeError(f"{cloud.logged(address)} of {count} messages were logged")
    return Import(count / took_s, count / cpu_s)

"""How fast gmail_push acknowledges over HTTP, in the running laptop cloud, once it is warm."""

from __future__ import annotations

import time

from bench.cloud import BenchCloud, running_cloud
from bench.report import Aim, Figure, Report
from bench.timings import percentile
from bench.trivial_requests import PAUSED, prepare, push_of
from local.bridge.envelope import push_headers

P99_MS = 100.0
WARM_UP = 30
PUSHES, QUICK_PUSHES = 300, 60
GAP_S = 0.02
"""Between two pushes, so that the sync tasks they queue run beside them and do not pile up."""


def run(quick: bool) -> Report:
    """Every push is another notice for a routed mailbox, so each queues its task before it is acknowledged."""
    with running_cloud() as cloud:
        prepare(cloud)
        headers = push_headers(cloud.service_token("gmail_push"))
        for number in range(WARM_UP):
            _acknowledge(cloud, headers, number)
        taken_ms = []
        for number in range(QUICK_PUSHES if quick else PUSHES):
            taken_ms.append(_acknowledge(cloud, headers, WARM_UP + number) * 1000)
            time.sleep(GAP_S)
    detail = f"{len(taken_ms)} pushes, one after the other"
    return Report(
        "push",
        (
            Figure("gmail_push acknowledged, p50", percentile(taken_ms, 50), "ms", None, detail),
            Figure("gmail_push acknowledged, p99", percentile(taken_ms, 99), "ms", Aim(P99_MS)),
        ),
        ("Token checked, route read and task created before the answer; the tasks run beside.",),
    )


def _acknowledge(cloud: BenchCloud, headers: dict[str, str], number: int) -> float:
    body = push_of(PAUSED, history_id=1000 + number)
    began = time.perf_counter()
    answer = cloud.http.request("POST", cloud.url("gmail_push"), body=body, headers=headers)
    took_s = time.perf_counter() - began
    if answer.status != 204:
        raise RuntimeError(f"gmail_push answered {answer.status}")
    return took_s

"""What is left undone in a running cloud: tasks, promises, leases, claims, and what lies in quarantine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.cloud import BenchCloud
from local.cloud.ports import HOST
from shared.ports.documents import Document
from shared.records.walks import walk

SOON = timedelta(minutes=10)
"""A promise or a task for later than this is an appointment, and nothing that waits."""

LEASED = ("streams", "secret", "slots", "invoice_intents")
"""Collections whose documents have a lease."""

UNEXPECTED = "function.failed"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """tasks: by queue, due now or soon. promises: by function. held: documents under a lease that has not run out."""

    tasks: Counter[str]
    promises: Counter[str]
    held: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not (self.tasks or self.promises or self.held)


def queues(cloud: BenchCloud) -> dict[str, Any]:
    """By short name, as local/tasks/admin.py tells of them."""
    state = cloud.http.request("GET", f"http://{HOST}:{cloud.ports.tasks_admin}/state", retries=5).json()
    return {name.rsplit("/", 1)[1]: about for name, about in state["queues"].items()}


def leftovers(cloud: BenchCloud) -> Leftovers:
    now = datetime.now(UTC)
    tasks: Counter[str] = Counter()
    for name, about in queues(cloud).items():
        soon = about["due"] or (about["next_at"] and datetime.fromisoformat(about["next_at"]) < now + SOON)
        if about["depth"] and soon:
            tasks[name] += about["depth"]
    promises = Counter(
        str(found.fields["function"])
        for found in walk(cloud.documents, "outbox")
        if found.fields["promised_at"] < now + SOON
    )
    return Leftovers(tasks, promises, tuple(_held(cloud, now)))


def _held(cloud: BenchCloud, now: datetime) -> Iterator[str]:
    for found in leased(cloud):
        if found.fields["lease"]["until"] > now:
            yield found.path


def leased(cloud: BenchCloud) -> Iterator[Document]:
    """Documents whose lease was taken and never given back, run out or not."""
    for collection in LEASED:
        for found in walk(cloud.documents, collection):
            lease = found.fields.get("lease")
            if lease and lease.get("owner") and lease.get("until"):
                yield found


def parked(cloud: BenchCloud) -> list[str]:
    """The reason of everything in quarantine, with what it is about."""
    return [
        f"{found.fields['kind']}: {found.fields['reason']} {json.dumps(dict(found.fields['ids']))}"
        for found in walk(cloud.documents, "quarantine")
        if found.fields["state"] == "parked"
    ]


def failures(log: Path) -> Counter[str]:
    """Errors that no line of ours expected, by function and kind: a fault may stop work, and never surprise it."""
    found: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if UNEXPECTED not in line:
            continue
        with suppress(ValueError):  # a line its writer died in
            told = json.loads(line)
            if told.get("message") == UNEXPECTED:
                found[f"{told['function']}: {told['error']}"] += 1
    return found

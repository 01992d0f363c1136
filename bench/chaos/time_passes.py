"""Ten minutes pass in a moment, for a run that cannot wait for them.

To whoever reads a clock it is the same whether the clock moves ahead or everything that waits was written earlier. So
the times that something waits for are moved back, in the documents and in the queues.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from bench.chaos.leftovers import LEASED
from bench.cloud import BenchCloud
from local.cloud.ports import HOST
from shared.domain.ledger import State
from shared.errors import StaleWriteError
from shared.ports.documents import Document, Documents, Update
from shared.records.walks import walk

WAITING = {"outbox": "promised_at", "seen": "queued_at", "contracts": "sending_at"}
"""The time each of these waits by; a lease's is its end."""


def let_pass(cloud: BenchCloud, time: timedelta) -> None:
    """For everything that waits, in the documents and in the queues."""
    move_back(cloud.documents, time)
    cloud.http.request("POST", f"http://{HOST}:{cloud.ports.tasks_admin}/advance?s={time.total_seconds()}", retries=5)


def move_back(documents: Documents, time: timedelta) -> None:
    """Whoever works on a document at this moment finds it changed, as by a colleague, and comes again."""
    for document, name, at in _times(documents):
        with suppress(StaleWriteError):
            documents.commit([Update(document.path, {name: at - time}, document.version)])


def _times(documents: Documents) -> Iterator[tuple[Document, str, datetime]]:
    for collection, name in WAITING.items():
        for document in walk(documents, collection):
            at = document.fields.get(name)
            if isinstance(at, datetime) and document.fields.get("state") in (None, State.QUEUED.value):
                yield document, name, at
    for collection in LEASED:
        for document in walk(documents, collection):
            until = (document.fields.get("lease") or {}).get("until")
            if isinstance(until, datetime):
                yield document, "lease.until", until

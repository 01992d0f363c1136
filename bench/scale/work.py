"""What a piece of work costs, in everything somebody bills or limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, fields
from io import StringIO
from typing import Any
from unittest.mock import patch

from shared.platform.firestore.values import document_size
from shared.ports.documents import Delete, Documents, Version, Write
from tests.fakes import FakeTasks, MemoryDocuments


@dataclass(frozen=True, slots=True)
class Work:
    """reads, writes, deletes: of documents. units: Gmail's. calls: requests to other vendors, by name. requests: to
    functions, by name; tasks: those among them that came through a queue, by queue. written: writes by the name of the
    collection they went to. log_bytes: our own lines. stored_bytes: what documents grew by."""

    reads: float = 0
    writes: float = 0
    deletes: float = 0
    units: float = 0
    log_bytes: float = 0
    stored_bytes: float = 0
    calls: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, float] = field(default_factory=dict)
    tasks: Mapping[str, float] = field(default_factory=dict)
    written: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: Work) -> Work:
        return Work(**{one.name: _plus(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)})

    def __mul__(self, times: float) -> Work:
        return Work(**{one.name: _times(getattr(self, one.name), times) for one in fields(self)})

    def __sub__(self, other: Work) -> Work:
        return self + other * -1


NOTHING = Work()


def asked(function: str, times: float = 1) -> Work:
    """Requests that reach a function by no queue."""
    return Work(requests={function: times})


@dataclass
class Meter:
    """Filled when its block ends."""

    work: Work = NOTHING


@contextmanager
def metered(documents: Documents, tasks: FakeTasks) -> Iterator[Meter]:
    """Count what the block does to the store and the queues, and what it logs. Vendors' calls are the caller's to add.

    documents: those of an in-memory world.
    """
    assert isinstance(documents, MemoryDocuments)
    meter, spoken = Meter(), StringIO()
    reads, writes, size, queued = documents.reads, documents.writes, _size(documents), len(tasks.created)
    written: Counter[str] = Counter()
    deletes = 0
    commit = documents.commit

    def counting(batch: list[Write]) -> list[Version]:
        nonlocal deletes
        versions = commit(batch)
        deletes += sum(isinstance(write, Delete) for write in batch)
        written.update(write.path.split("/")[-2] for write in batch if not isinstance(write, Delete))
        return versions

    with patch.object(documents, "commit", counting), redirect_stdout(spoken):
        yield meter
    created = tasks.created[queued:]
    meter.work = Work(
        reads=documents.reads - reads,
        writes=documents.writes - writes - deletes,
        deletes=deletes,
        log_bytes=len(spoken.getvalue().encode()),
        stored_bytes=_size(documents) - size,
        requests=Counter(task.function for task in created),
        tasks=Counter(task.queue for task in created),
        written=written,
    )


def _size(documents: MemoryDocuments) -> int:
    return sum(document_size(path, content) for path, content in documents.dump().items())


def _plus(one: Any, other: Any) -> Any:
    if not isinstance(one, Mapping):
        return one + other
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _times(one: Any, times: float) -> Any:
    return {name: value * times for name, value in one.items()} if isinstance(one, Mapping) else one * times

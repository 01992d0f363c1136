"""What the fakes do beyond the contracts they share with the real adapters: counting, failing, remembering."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.errors import ProviderUnavailableError
from shared.ports.documents import Create, Delete, Increment, Merge, Query
from shared.ports.tasks import Task
from tests.fakes import START, FakeBlobs, FakeClock, FakePublisher, FakeTasks, FakeWrappingKey, MemoryDocuments


def seen(number: int) -> str:
    return f"tenants/t/mailboxes/m/seen/s{number:04d}"


def test_reads_and_writes_are_counted_as_they_are_billed() -> None:
    documents = MemoryDocuments()
    documents.commit([Create(seen(number), {"n": number}) for number in range(1500)])
    documents.commit([Delete(seen(0)), Merge(seen(1), {})])
    assert (documents.writes, documents.commits, documents.reads) == (1502, 2, 0)

    documents.get(seen(0))
    assert documents.reads == 1  # also a document that is not there
    documents.get_all([seen(1), seen(2), seen(1)])
    assert documents.reads == 3  # each document once
    documents.find(Query("tenants/t/mailboxes/m/seen", limit=10))
    assert documents.reads == 13
    documents.find(Query("tenants/t/mailboxes/none/seen"))
    assert documents.reads == 14  # a query that finds nothing
    documents.count(Query("tenants/t/mailboxes/m/seen"))
    assert documents.reads == 16  # 1,000 index entries each


def test_a_store_that_is_down_does_nothing() -> None:
    documents = MemoryDocuments()
    documents.down = True
    with pytest.raises(ProviderUnavailableError):
        documents.commit([Create(seen(1), {})])
    with pytest.raises(ProviderUnavailableError):
        documents.get(seen(1))
    with pytest.raises(ProviderUnavailableError):
        documents.count(Query("t"))
    documents.down = False
    assert (documents.get(seen(1)), documents.writes) == (None, 0)


def test_the_shapes_of_queries_are_remembered_without_their_values() -> None:
    documents = MemoryDocuments()
    for state in ("queued", "logged"):
        documents.find(Query("tenants/t/mailboxes/m/seen", (("state", "==", state),), order_by=("-n",), limit=5))
    assert documents.queries == {Query("seen", (("state", "==", None),), order_by=("-n",))}


def test_threads_that_count_lose_nothing() -> None:
    documents = MemoryDocuments()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: documents.commit([Merge(seen(1), {"n": Increment(1)})]), range(400)))
    assert documents.dump() == {seen(1): {"n": 400}}


def test_tasks_fall_due_in_their_order() -> None:
    clock = FakeClock()
    tasks = FakeTasks(clock)
    later = Task("sync", "f", "later", {}, START + timedelta(seconds=60))
    now = Task("sync", "f", "now", {})
    tasks.create([later, now, Task("other", "f", "other", {})])
    assert tasks.due("sync") == [now]
    assert tasks.pending("sync") == [now, later]
    clock.advance(60)
    assert tasks.due("sync") == [now, later]
    assert len(tasks.pending()) == 3


@pytest.mark.parametrize(("tombstone_s", "comes_again"), [(0, True), (3600, False), (86_400, False)])
def test_the_name_of_a_done_task_is_taken_for_the_tombstones_time(tombstone_s: float, comes_again: bool) -> None:
    clock = FakeClock()
    tasks = FakeTasks(clock, tombstone_s)
    task = Task("sync", "f", "n", {})
    tasks.create([task])
    tasks.done(task)
    tasks.create([task])
    assert (tasks.pending() == [task]) == comes_again
    clock.advance(tombstone_s)
    tasks.create([task])
    assert tasks.pending() == [task]


def test_a_task_is_queued_at_most_thirty_days_ahead() -> None:
    with pytest.raises(ValueError, match="30 days"):
        FakeTasks(FakeClock()).create([Task("sync", "f", "n", {}, START + timedelta(days=31))])


def test_what_is_down_says_so_and_does_nothing() -> None:
    tasks, publisher, blobs, key = FakeTasks(), FakePublisher(), FakeBlobs("t"), FakeWrappingKey()
    tasks.down = publisher.down = blobs.down = key.down = True
    for use in (
        lambda: tasks.create([Task("sync", "f", "n", {})]),
        lambda: publisher.publish("topic", {}),
        lambda: blobs.put("t/a", b"", "text/plain"),
        lambda: blobs.get("t/a"),
        lambda: blobs.delete("t/a"),
        lambda: key.wrap(b"", b""),
        lambda: key.unwrap(b"", b""),
    ):
        with pytest.raises(ProviderUnavailableError):
            use()
    assert (tasks.pending(), publisher.published, blobs.keys()) == ([], [], [])

"""The crash harness catches what it is for, and lets right flows through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.domain.ids import digest
from shared.errors import AlreadyExistsError, ProviderUnavailableError
from shared.ports.documents import Create, Increment, Merge
from shared.ports.tasks import Task
from tests.crash import Flow, Report, try_every_point
from tests.fakes import FakeBlobs, FakeClock, FakePublisher, FakeTasks, MemoryDocuments

ORDER = "tenants/t/orders/o1"
TOTAL = "tenants/t/totals/all"


@dataclass
class Shop:
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    tasks: FakeTasks = field(default_factory=FakeTasks)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    blobs: FakeBlobs = field(default_factory=lambda: FakeBlobs("t"))
    clock: FakeClock = field(default_factory=FakeClock)


def ship(shop: Shop) -> None:
    for task in shop.tasks.due("ship"):
        shop.blobs.put(f"t/labels/{task.payload['box']}", b"label", "text/plain")
        shop.tasks.done(task)


def boxes() -> list[Task]:
    return [Task("ship", "ship", digest("ship", box), {"box": box}) for box in ("a", "b", "c")]


def take_order(shop: Shop) -> None:
    """Right: what counts is written with the lock in one batch, and every later step is harmless the second time."""
    with suppress(AlreadyExistsError):
        shop.documents.commit([Create(ORDER, {"state": "taken"}), Merge(TOTAL, {"orders": Increment(1)})])
    shop.tasks.create(boxes())
    ship(shop)


def take_order_and_count_apart(shop: Shop) -> None:
    """Wrong: stopped between the two, the order is never counted."""
    try:
        shop.documents.commit([Create(ORDER, {"state": "taken"})])
    except AlreadyExistsError:
        return
    shop.documents.commit([Merge(TOTAL, {"orders": Increment(1)})])


def count_without_a_lock(shop: Shop) -> None:
    """Wrong: repeated, the order is counted twice."""
    shop.documents.commit([Merge(TOTAL, {"orders": Increment(1)})])


def end_state(shop: Shop) -> dict[str, Any]:
    pending = [task.payload["box"] for task in shop.tasks.pending()]
    return {"documents": shop.documents.dump(), "labels": shop.blobs.keys(), "pending": pending}


def report_on(run: Callable[[Shop], None]) -> Report:
    return try_every_point(Flow("order", build=Shop, run=run, end_state=end_state))


def test_a_right_flow_survives_every_point() -> None:
    report = report_on(take_order)
    assert report.failures == (), str(report)
    assert report.calls == ("Documents.commit", "Tasks.create", "Blobs.put", "Blobs.put", "Blobs.put")
    assert report.tried == 5 * 3 + 1  # and once halfway through the three tasks


def test_a_gap_between_lock_and_effect_is_found() -> None:
    failures = report_on(take_order_and_count_apart).failures
    assert {(failure.plan.point, failure.plan.mode) for failure in failures} == {
        (0, "after"),
        (0, "reply lost"),
        (1, "before"),
    }


def test_an_effect_done_twice_is_found() -> None:
    failures = report_on(count_without_a_lock).failures
    assert {failure.plan.mode for failure in failures} == {"after", "reply lost"}
    assert "orders: expected 1, found 2" in str(failures[0])


def test_a_task_lost_halfway_is_found() -> None:
    def queue_in_one_go(shop: Shop) -> None:
        if not shop.tasks.created:
            shop.tasks.create(boxes())

    assert "halfway" in {failure.plan.mode for failure in report_on(queue_in_one_go).failures}


def test_nothing_tidies_up_after_a_crash() -> None:
    def count_down_in_finally(shop: Shop) -> None:
        shop.documents.commit([Merge(TOTAL, {"open": Increment(1)})])
        try:
            shop.publisher.publish("orders", {})
        finally:
            shop.documents.commit([Merge(TOTAL, {"open": Increment(-1)})])

    failures = report_on(count_down_in_finally).failures
    assert (1, "before") in {(failure.plan.point, failure.plan.mode) for failure in failures}


def test_a_flow_that_never_recovers_is_found() -> None:
    def give_up_for_good(shop: Shop) -> None:
        try:
            shop.documents.commit([Create(ORDER, {})])
        except AlreadyExistsError:
            raise ProviderUnavailableError("somebody else has it") from None

    assert any("still failing" in failure.reason for failure in report_on(give_up_for_good).failures)


def test_a_flow_that_is_not_the_same_twice_is_found() -> None:
    runs: list[int] = []

    def longer_the_first_time(shop: Shop) -> None:
        runs.append(1)
        shop.blobs.put("t/a", b"", "text/plain")
        if len(runs) == 1:
            shop.blobs.put("t/b", b"", "text/plain")

    assert any("never reached" in failure.reason for failure in report_on(longer_the_first_time).failures)


def test_time_may_pass_before_the_next_delivery() -> None:
    def wait_for_the_lease(shop: Shop) -> None:
        found = shop.documents.get(ORDER)
        now_s = int(shop.clock.now().timestamp())
        if found is not None and found.fields["until"] > now_s:
            raise ProviderUnavailableError("somebody else has it")
        shop.documents.commit([Merge(ORDER, {"until": now_s + 90})])
        shop.blobs.put("t/done", b"", "text/plain")

    def labels(shop: Shop) -> list[str]:
        return shop.blobs.keys()

    patient = Flow("lease", Shop, wait_for_the_lease, labels, before_redelivery=lambda shop: shop.clock.advance(100))
    assert try_every_point(patient).failures == ()
    assert try_every_point(Flow("lease", Shop, wait_for_the_lease, labels)).failures != ()


def test_a_flow_without_side_effects_cannot_be_tried() -> None:
    def look_on(shop: Shop) -> None:
        shop.documents.get(ORDER)

    with pytest.raises(ValueError, match="no side effect"):
        report_on(look_on)

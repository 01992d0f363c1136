"""Follow-ups promised in a commit: kept once, queued again when they were lost, never when somebody was quicker."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.domain.outbox import OVERDUE_AFTER, Promise, promise
from shared.errors import ProviderUnavailableError, StaleWriteError
from shared.records.followups import Outbox
from shared.records.store import TenantStore
from shared.usecases.promises import keep_promise, keep_promise_tasks, sweep_outbox
from tests.contested import Contested
from tests.fakes import START, FakeClock, FakeTasks


@dataclass
class World:
    documents: Contested = field(default_factory=Contested)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.tasks = FakeTasks(self.clock)
        self.store = TenantStore(self.documents, "acme")
        self.outbox = Outbox(self.store)

    def promises(self, key: str) -> Promise:
        made = promise("invoice_push", {"tenant": "acme", "intent": key}, self.clock.now(), key)
        self.store.commit([self.outbox.creating(made)])
        return made

    def sweeps(self) -> int:
        return sweep_outbox(self.documents, tasks=self.tasks, clock=self.clock)


@pytest.fixture
def world() -> World:
    return World()


def test_a_promise_is_kept_once(world: World) -> None:
    made, worked = world.promises("i-1"), list[str]()
    keep_promise(world.store, made.promise_id, lambda: worked.append("done"))
    keep_promise(world.store, made.promise_id, lambda: worked.append("again"))
    assert worked == ["done"]
    assert world.outbox.find(made.promise_id) is None


def test_work_that_fails_leaves_the_promise(world: World) -> None:
    made = world.promises("i-1")

    def work() -> None:
        raise ProviderUnavailableError("the ledger is down")

    with pytest.raises(ProviderUnavailableError):
        keep_promise(world.store, made.promise_id, work)
    assert world.outbox.find(made.promise_id) is not None


def test_its_task_names_the_promise_and_runs_when_it_is_due(world: World) -> None:
    made = world.promises("i-1")
    (task,) = keep_promise_tasks([made])
    assert (task.queue, task.function, task.name) == ("invoice-push", "invoice_push", made.task_name)
    assert task.payload == {"tenant": "acme", "intent": "i-1", "promise": made.promise_id}
    assert task.not_before == START


def test_a_promise_is_not_late_before_its_time_and_is_queued_again_after(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world.promises("i-1")
    world.clock.advance(OVERDUE_AFTER.total_seconds() - 1)
    assert world.sweeps() == 0
    assert capsys.readouterr().out == ""
    world.clock.advance(2)
    assert world.sweeps() == 1
    assert [task.name for task in world.tasks.pending()] == [made.again(world.clock.now()).task_name]
    stored = world.outbox.find(made.promise_id)
    assert stored is not None
    assert (stored.value.rev, stored.value.promised_at) == (2, world.clock.now())
    told = capsys.readouterr().out
    assert '"message": "promise.overdue"' in told
    assert '"promises": 1' in told


def test_a_promise_that_was_just_queued_again_waits_anew(world: World) -> None:
    world.promises("i-1")
    world.clock.advance(OVERDUE_AFTER.total_seconds() + 1)
    assert world.sweeps() == 1
    assert world.sweeps() == 0
    assert len(world.tasks.pending()) == 1


def test_a_promise_for_later_is_not_late_yet(world: World) -> None:
    made = promise("invoice_push", {"tenant": "acme"}, world.clock.now() + timedelta(days=10), "i-1")
    world.store.commit([world.outbox.creating(made)])
    world.clock.advance(OVERDUE_AFTER.total_seconds() + 1)
    assert world.sweeps() == 0


def test_every_late_promise_is_queued_and_counted_but_not_the_one_somebody_was_quicker_with(world: World) -> None:
    for key in ("i-1", "i-2", "i-3"):
        world.promises(key)
    world.clock.advance(OVERDUE_AFTER.total_seconds() + 1)
    world.documents.refuse = StaleWriteError("somebody was quicker")
    assert world.sweeps() == 2
    assert len(world.tasks.pending()) == 2


def test_a_promise_that_was_kept_while_the_sweep_looked_is_not_queued(world: World) -> None:
    made = world.promises("i-1")
    world.clock.advance(OVERDUE_AFTER.total_seconds() + 1)
    world.documents.before_get = lambda: world.store.commit([world.outbox.keeping(made.promise_id)])
    assert world.sweeps() == 0
    assert world.tasks.pending() == []

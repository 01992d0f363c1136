"""What is on disk after a commit is what the next emulator starts with."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from local.tasks.engine import Engine
from local.tasks.http_call import request_headers
from local.tasks.model import TaskQueues
from local.tasks.store import SqliteStore, StoreInUseError
from local.tasks.values import AlreadyExistsError, HttpTarget, NewTask, Outcome, QueueSettings, RateLimits, RetryConfig
from tests.local.tasks.story import QUEUE, START, StillClock


def test_queues_tasks_and_tombstones_come_back_as_they_were(tmp_path: Path) -> None:
    clock = StillClock()
    settings = QueueSettings(QUEUE, RateLimits(5.5, 2), RetryConfig(max_attempts=-1, min_backoff_s=7))
    target = HttpTarget(
        "http://worker.example/", "PUT", {"X-Mine": "ü"}, b"\x00\xff", "caller@demo.example", "audience"
    )
    with closing(SqliteStore(tmp_path / "db")) as store:
        before = TaskQueues(clock, journal=store)
        before.create_queue(settings)
        failed = before.create_task(QUEUE, NewTask(target, dispatch_deadline_s=20, retry=RetryConfig(max_attempts=9)))
        before.finish(before.take_due()[0], Outcome(404))
        done = before.create_task(QUEUE, NewTask(target, f"{QUEUE}/tasks/done"))
        (attempt,) = before.take_due()
        before.finish(attempt, Outcome(200))
        later = before.create_task(QUEUE, NewTask(target, scheduled_at=START + timedelta(days=1)))
        before.pause_queue(QUEUE)

    with closing(SqliteStore(tmp_path / "db")) as store:
        after = TaskQueues(clock, journal=store, saved=store.load())
        assert after.queue(QUEUE).settings == settings
        assert after.queue(QUEUE).paused
        for task in (failed, later):
            restored = after.task(task.name)
            assert (restored.target, restored.progress, restored.created_at) == (
                task.target,
                task.progress,
                task.created_at,
            )
            assert (restored.retry, restored.dispatch_deadline_s) == (task.retry, task.dispatch_deadline_s)
        with pytest.raises(AlreadyExistsError):
            after.create_task(QUEUE, NewTask(target, done.name))


def test_a_task_that_was_in_flight_is_sent_again_and_counts_its_lost_attempt(tmp_path: Path) -> None:
    clock = StillClock()
    with closing(SqliteStore(tmp_path / "db")) as store:
        before = TaskQueues(clock, journal=store)
        before.create_queue(QueueSettings(QUEUE, retry=RetryConfig(max_attempts=1)))
        task = before.create_task(QUEUE, NewTask(HttpTarget("http://worker.example/")))
        assert len(before.take_due()) == 1

    with closing(SqliteStore(tmp_path / "db")) as store:
        (again,) = TaskQueues(clock, journal=store, saved=store.load()).take_due()
        assert again.task.name == task.name
        assert again.progress.dispatch_count == 2
        headers = request_headers(again, lambda *_: "")
        assert headers["X-CloudTasks-TaskRetryCount"] == "1"
        assert "X-CloudTasks-TaskPreviousResponse" not in headers
        assert "X-CloudTasks-TaskRetryReason" not in headers


def test_a_change_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    engine = Engine(SqliteStore(tmp_path / "before" / "db"))
    with engine.changing() as queues:
        queues.create_queue(QueueSettings(QUEUE))
        task = queues.create_task(QUEUE, NewTask(HttpTarget("http://worker.example/")))
    shutil.copytree(tmp_path / "before", tmp_path / "killed")  # what a kill at this moment would leave
    engine.close()
    with closing(SqliteStore(tmp_path / "killed" / "db")) as store:
        (saved,) = store.load()
        assert list(saved.tasks) == [task.name]


def test_a_deleted_queue_leaves_nothing_behind(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        queues = TaskQueues(StillClock(), journal=store)
        queues.create_queue(QueueSettings(QUEUE))
        queues.create_task(QUEUE, NewTask(HttpTarget("http://worker.example/")))
        queues.delete_queue(QUEUE)
        store.commit()
        assert store.load() == []


def test_tombstones_older_than_a_day_are_swept(tmp_path: Path) -> None:
    clock = StillClock()
    with closing(SqliteStore(tmp_path / "db")) as store:
        queues = TaskQueues(clock, journal=store)
        queues.create_queue(QueueSettings(QUEUE))
        for pause_s in (0, 86_401):
            clock.advance(pause_s)
            queues.delete_task(queues.create_task(QUEUE, NewTask(HttpTarget("http://worker.example/"))).name)
        (saved,) = store.load()
        assert list(saved.ended.values()) == [clock.now]


def test_clock_jumps_and_the_tombstone_time_survive_a_restart(tmp_path: Path) -> None:
    first = Engine(SqliteStore(tmp_path / "db"))
    first.advance(3600)
    first.set_tombstone(0)
    first.close()
    second = Engine(SqliteStore(tmp_path / "db"))
    assert (second.clock.ahead_s, second.tombstone_s) == (3600, 0)
    second.close()


def test_two_emulators_cannot_share_a_file(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")), pytest.raises(StoreInUseError):
        SqliteStore(tmp_path / "db")

"""What the queues promise, on a clock that stands still: no sockets, no threads, no disk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.tasks.values import (
    AlreadyExistsError,
    HttpTarget,
    InvalidArgumentError,
    NewTask,
    NotFoundError,
    Outcome,
    QueueSettings,
    RateLimits,
    RetryConfig,
)
from tests.local.tasks.story import LOCATION, QUEUE, START, Simulation

FOREVER = RetryConfig(max_attempts=-1)


class TestNames:
    def test_a_pending_name_is_refused(self) -> None:
        sim = Simulation(tombstone_s=0)
        sim.create("once")
        with pytest.raises(AlreadyExistsError):
            sim.create("once")

    @pytest.mark.parametrize("tombstone_s", [3600, 86_400])
    def test_an_executed_name_is_refused_until_its_tombstone_is_over(self, tombstone_s: float) -> None:
        sim = Simulation(tombstone_s=tombstone_s)
        sim.create("once")
        assert sim.run_due() == 1

        sim.clock.advance(tombstone_s - 1)
        with pytest.raises(AlreadyExistsError):
            sim.create("once")
        sim.clock.advance(1)
        sim.create("once")
        assert sim.run_due() == 1

    def test_without_tombstones_an_executed_name_is_free_at_once(self) -> None:
        sim = Simulation(tombstone_s=0)
        sim.create("once")
        sim.run_due()
        sim.create("once")
        assert sim.run_due() == 1

    def test_a_deleted_name_and_a_purged_name_are_refused_too(self) -> None:
        sim = Simulation()
        sim.queues.delete_task(sim.create("deleted"))
        sim.create("purged")
        sim.queues.purge_queue(QUEUE)
        for task_id in ("deleted", "purged"):
            with pytest.raises(AlreadyExistsError):
                sim.create(task_id)

    def test_a_longer_tombstone_reaches_back_to_names_that_were_free(self) -> None:
        sim = Simulation(tombstone_s=0)
        sim.create("once")
        sim.run_due()
        sim.clock.advance(3600)
        sim.queues.tombstone_s = 86_400
        with pytest.raises(AlreadyExistsError):
            sim.create("once")

    def test_a_given_up_name_is_refused(self) -> None:
        sim = Simulation(retry=RetryConfig(max_attempts=1))
        sim.create("hopeless")
        sim.run_due(status=500)
        with pytest.raises(AlreadyExistsError):
            sim.create("hopeless")

    def test_tasks_without_a_name_get_different_ones(self) -> None:
        sim = Simulation()
        assert sim.create() != sim.create()

    @pytest.mark.parametrize("task_id", ["with space", "a/b", "x" * 501, "täsk"])
    def test_a_malformed_task_name_is_refused(self, task_id: str) -> None:
        with pytest.raises(InvalidArgumentError):
            Simulation().create(task_id)

    def test_a_name_from_another_queue_is_refused(self) -> None:
        elsewhere = NewTask(HttpTarget("http://worker.example/"), f"{LOCATION}/queues/other/tasks/a")
        with pytest.raises(InvalidArgumentError):
            Simulation().queues.create_task(QUEUE, elsewhere)

    @pytest.mark.parametrize(
        "name", ["mailbox-sync", f"{LOCATION}/queues/under_score", f"{LOCATION}/queues/" + "q" * 101]
    )
    def test_a_malformed_queue_name_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidArgumentError):
            Simulation().queues.create_queue(QueueSettings(name))


class TestSchedule:
    def test_a_task_waits_for_its_time(self) -> None:
        sim = Simulation()
        sim.create(scheduled_at=START + timedelta(minutes=5))
        assert sim.run_due() == 0
        assert sim.queues.next_start_at() == START + timedelta(minutes=5)
        sim.clock.advance(300)
        assert sim.run_due() == 1

    def test_a_past_time_means_now(self) -> None:
        sim = Simulation()
        name = sim.create(scheduled_at=START - timedelta(days=1))
        assert sim.queues.task(name).progress.scheduled_at == START

    def test_thirty_days_ahead_is_the_most(self) -> None:
        sim = Simulation()
        sim.create(scheduled_at=START + timedelta(days=30))
        with pytest.raises(InvalidArgumentError):
            sim.create(scheduled_at=START + timedelta(days=30, microseconds=1))

    def test_earlier_tasks_go_first(self) -> None:
        sim = Simulation()
        late = sim.create(scheduled_at=START + timedelta(seconds=2))
        early = sim.create(scheduled_at=START + timedelta(seconds=1))
        sim.clock.advance(3)
        assert [attempt.task.name for attempt in sim.queues.take_due()] == [early, late]


class TestRetries:
    def test_pauses_double_from_a_tenth_of_a_second(self) -> None:
        sim = Simulation()
        sim.create()
        assert sim.dispatch_times(500, wanted=6) == [0, 0.1, 0.3, 0.7, 1.5, 3.1]

    def test_pauses_double_then_grow_evenly_then_stay(self) -> None:
        retry = RetryConfig(min_backoff_s=10, max_backoff_s=300, max_doublings=3)
        assert [retry.backoff_s(n) for n in range(8)] == [10, 20, 40, 80, 160, 240, 300, 300]

    def test_a_task_is_given_up_after_its_attempts(self) -> None:
        sim = Simulation(retry=RetryConfig(max_attempts=4))
        sim.create()
        assert len(sim.dispatch_times(500, wanted=99)) == 4
        assert sim.queues.queue(QUEUE).depth == 0

    def test_a_task_goes_on_until_both_attempts_and_time_are_used_up(self) -> None:
        by_time = Simulation(
            retry=RetryConfig(max_attempts=2, max_retry_duration_s=10, min_backoff_s=3, max_backoff_s=3)
        )
        by_time.create()
        assert by_time.dispatch_times(500, wanted=99) == [0, 3, 6, 9, 12]

        by_count = Simulation(
            retry=RetryConfig(max_attempts=6, max_retry_duration_s=4, min_backoff_s=1, max_backoff_s=1)
        )
        by_count.create()
        assert by_count.dispatch_times(500, wanted=99) == [0, 1, 2, 3, 4, 5]

    def test_unlimited_attempts_end_with_the_task_itself_after_31_days(self) -> None:
        sim = Simulation(retry=RetryConfig(max_attempts=-1, min_backoff_s=43_200, max_backoff_s=43_200))
        sim.create()
        days = [seconds / 86_400 for seconds in sim.dispatch_times(500, wanted=999)]
        assert days[:3] == [0, 0.5, 1]
        assert days[-1] == 31
        assert sim.queues.queue(QUEUE).depth == 0

    def test_a_tasks_own_settings_win_over_the_queues(self) -> None:
        sim = Simulation(retry=FOREVER)
        sim.create(retry=RetryConfig(max_attempts=2))
        assert len(sim.dispatch_times(500, wanted=99)) == 2

    @pytest.mark.parametrize("status", [199, 301, 308, 400, 401, 404, 409, 429, 500, 503])
    def test_everything_but_2xx_is_a_failure(self, status: int) -> None:
        sim = Simulation()
        sim.create()
        sim.run_due(status)
        assert sim.queues.queue(QUEUE).depth == 1

    @pytest.mark.parametrize("status", [200, 202, 204, 299])
    def test_any_2xx_ends_the_task(self, status: int) -> None:
        sim = Simulation()
        name = sim.create()
        sim.run_due(status)
        with pytest.raises(NotFoundError):
            sim.queues.task(name)

    def test_retry_after_postpones_the_retry_and_never_hastens_it(self) -> None:
        sim = Simulation(retry=RetryConfig(min_backoff_s=5))
        name = sim.create()
        for asked_s, pause_s in ((120.0, 120), (1.0, 10)):
            (attempt,) = sim.queues.take_due()
            sim.queues.finish(attempt, Outcome(503, retry_after_s=asked_s))
            assert sim.queues.task(name).progress.scheduled_at == sim.clock.now + timedelta(seconds=pause_s)
            sim.clock.advance(pause_s)

    def test_executions_count_answers_but_not_5xx(self) -> None:
        sim = Simulation()
        name = sim.create()
        for outcome in (Outcome(500), Outcome(404), Outcome(None, "UNAVAILABLE")):
            (attempt,) = sim.queues.take_due()
            sim.queues.finish(attempt, outcome)
            sim.clock.advance(10)
        progress = sim.queues.task(name).progress
        assert (progress.dispatch_count, progress.response_count, progress.execution_count) == (3, 2, 1)


class TestRate:
    def test_a_burst_then_the_steady_rate(self) -> None:
        sim = Simulation(RateLimits(max_dispatches_per_second=5))
        for _ in range(12):
            sim.create()
        assert sim.dispatch_times(200, wanted=12) == [0] * 5 + [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4]

    def test_a_slow_queue_starts_one_task_in_ten_seconds(self) -> None:
        sim = Simulation(RateLimits(max_dispatches_per_second=0.1))
        for _ in range(3):
            sim.create()
        assert sim.dispatch_times(200, wanted=3) == [0, 10, 20]

    def test_no_more_attempts_at_once_than_allowed(self) -> None:
        sim = Simulation(RateLimits(max_concurrent_dispatches=3))
        for _ in range(5):
            sim.create()
        running = sim.queues.take_due()
        assert len(running) == 3
        assert sim.queues.take_due() == []
        assert sim.queues.next_start_at() is None
        sim.queues.finish(running[0], Outcome(200))
        assert len(sim.queues.take_due()) == 1

    def test_queues_take_turns_when_the_dispatcher_has_little_room(self) -> None:
        sim = Simulation()
        other = f"{LOCATION}/queues/backfill"
        sim.queues.create_queue(QueueSettings(other))
        for _ in range(10):
            sim.create()
            sim.queues.create_task(other, NewTask(HttpTarget("http://worker.example/")))
        served = [sim.queues.take_due(limit=1)[0].task.queue for _ in range(6)]
        assert sorted(served) == sorted([QUEUE, other] * 3)

    @pytest.mark.parametrize("status", [429, 503])
    def test_an_overloaded_worker_slows_its_queue_and_success_restores_it(self, status: int) -> None:
        sim = Simulation(RateLimits(max_dispatches_per_second=10), FOREVER)
        sim.create()
        sim.run_due(status)
        assert sim.queues.queue(QUEUE).pace == 0.5

        for _ in range(10):
            sim.create()
            sim.clock.advance(1)
            sim.run_due(200)
        assert sim.queues.queue(QUEUE).pace == 1

    def test_an_overloaded_worker_is_asked_less_and_less_but_never_left_alone(self) -> None:
        constant = RetryConfig(max_attempts=-1, min_backoff_s=0.1, max_backoff_s=0.1)
        healthy, overloaded = (Simulation(RateLimits(max_dispatches_per_second=10), constant) for _ in range(2))
        calls = {}
        for sim, status in ((healthy, 500), (overloaded, 503)):
            for _ in range(20):
                sim.create()
            calls[status] = [at for at in sim.dispatch_times(status, wanted=1000) if at < 60]
        assert len(calls[503]) < len(calls[500]) / 5
        assert max(calls[503]) > 50

    def test_the_pace_never_falls_below_a_64th(self) -> None:
        sim = Simulation(retry=RetryConfig(max_attempts=-1, min_backoff_s=1, max_backoff_s=1))
        sim.create()
        assert len(sim.dispatch_times(503, wanted=12)) == 12
        assert sim.queues.queue(QUEUE).pace == 1 / 64

    def test_a_burst_of_503_slows_the_queue_once(self) -> None:
        sim = Simulation(retry=FOREVER)
        for _ in range(50):
            sim.create()
        assert sim.run_due(503) == 50
        assert sim.queues.queue(QUEUE).pace == 0.5

    def test_500_does_not_slow_the_queue(self) -> None:
        sim = Simulation()
        sim.create()
        sim.run_due(500)
        assert sim.queues.queue(QUEUE).pace == 1


class TestDeadline:
    def test_an_attempt_is_given_up_at_its_deadline_and_tried_again(self) -> None:
        sim = Simulation()
        name = sim.create(dispatch_deadline_s=15)
        (slow,) = sim.queues.take_due()
        assert sim.queues.next_deadline_at() == START + timedelta(seconds=15)

        sim.clock.advance(15)
        assert sim.queues.take_due() == []
        last = sim.queues.task(name).progress.last
        assert last is not None
        assert (last.http_status, last.reason) == (None, "DEADLINE_EXCEEDED")

        sim.clock.advance(0.1)
        assert len(sim.queues.take_due()) == 1, "the retry starts although the worker may still be at it"
        sim.queues.finish(slow, Outcome(200))
        assert sim.queues.queue(QUEUE).depth == 1, "the answer to a given up attempt comes too late"

    @pytest.mark.parametrize("seconds", [14.9, 1800.1])
    def test_deadlines_are_between_15_seconds_and_30_minutes(self, seconds: float) -> None:
        with pytest.raises(InvalidArgumentError):
            Simulation().create(dispatch_deadline_s=seconds)


class TestOperations:
    def test_a_paused_queue_starts_nothing_and_goes_on_when_resumed(self) -> None:
        sim = Simulation()
        sim.create()
        sim.queues.pause_queue(QUEUE)
        assert sim.run_due() == 0
        assert sim.queues.next_start_at() is None
        sim.queues.resume_queue(QUEUE)
        assert sim.run_due() == 1

    def test_a_purge_removes_waiting_tasks_and_forgets_running_ones(self) -> None:
        sim = Simulation()
        sim.create()
        (running,) = sim.queues.take_due()
        sim.create(scheduled_at=START + timedelta(days=1))
        assert sim.queues.purge_queue(QUEUE).depth == 0
        sim.queues.finish(running, Outcome(500))
        assert sim.queues.queue(QUEUE).depth == 0
        assert sim.queues.queue(QUEUE).in_flight == ()

    def test_running_a_task_ignores_schedule_pause_and_rate(self) -> None:
        sim = Simulation(RateLimits(max_dispatches_per_second=1, max_concurrent_dispatches=1))
        name = sim.create(scheduled_at=START + timedelta(days=1))
        sim.queues.pause_queue(QUEUE)
        assert sim.queues.run_task(name).progress.dispatch_count == 1
        assert sim.run_due() == 1
        assert sim.queues.queue(QUEUE).depth == 0

    def test_running_a_running_task_starts_a_second_attempt_and_one_success_is_enough(self) -> None:
        sim = Simulation()
        name = sim.create()
        first = sim.queues.take_due()[0]
        sim.queues.run_task(name)
        second = sim.queues.take_due()[0]
        sim.queues.finish(first, Outcome(500))
        assert sim.queues.next_start_at() is None, "no retry while another attempt runs"
        sim.queues.finish(second, Outcome(200))
        assert sim.queues.queue(QUEUE).depth == 0

    def test_a_deleted_task_that_runs_is_not_retried(self) -> None:
        sim = Simulation()
        name = sim.create()
        (running,) = sim.queues.take_due()
        sim.queues.delete_task(name)
        sim.queues.finish(running, Outcome(500))
        with pytest.raises(NotFoundError):
            sim.queues.task(name)

    def test_an_old_attempt_says_nothing_about_a_new_task_with_its_name(self) -> None:
        sim = Simulation(tombstone_s=0)
        name = sim.create("again")
        (old,) = sim.queues.take_due()
        sim.queues.delete_task(name)
        sim.create("again")
        sim.queues.finish(old, Outcome(200))
        assert sim.queues.task(name).progress.dispatch_count == 0

    def test_an_updated_queue_keeps_its_tasks(self) -> None:
        sim = Simulation()
        sim.create()
        sim.queues.update_queue(QueueSettings(QUEUE, RateLimits(max_concurrent_dispatches=1)))
        assert sim.run_due() == 1

    def test_a_deleted_queue_is_gone_with_its_tasks(self) -> None:
        sim = Simulation()
        sim.create("once")
        sim.queues.delete_queue(QUEUE)
        with pytest.raises(NotFoundError):
            sim.create("other")
        sim.queues.create_queue(QueueSettings(QUEUE))
        assert sim.queues.tasks(QUEUE) == []

    def test_a_reset_forgets_tasks_and_names_and_keeps_queues(self) -> None:
        sim = Simulation()
        sim.create("once")
        sim.queues.take_due()
        sim.queues.reset(keep_queues=True)
        sim.create("once")
        assert sim.run_due() == 1
        sim.queues.reset(keep_queues=False)
        assert sim.queues.queues() == []


class TestRefusals:
    @pytest.mark.parametrize(
        "target",
        [
            HttpTarget("worker.example/"),
            HttpTarget("ftp://worker.example/"),
            HttpTarget("http://worker.example/" + "x" * 2083),
            HttpTarget("http://worker.example/", method="GET", body=b"{}"),
            HttpTarget("http://worker.example/", headers={"X-Large": "x" * 81_920}),
        ],
    )
    def test_a_request_that_cannot_be_sent(self, target: HttpTarget) -> None:
        with pytest.raises(InvalidArgumentError):
            Simulation().queues.create_task(QUEUE, NewTask(target))

    @pytest.mark.parametrize(
        "settings",
        [
            QueueSettings(QUEUE, RateLimits(max_dispatches_per_second=501)),
            QueueSettings(QUEUE, RateLimits(max_dispatches_per_second=-1)),
            QueueSettings(QUEUE, RateLimits(max_concurrent_dispatches=5001)),
            QueueSettings(QUEUE, retry=RetryConfig(max_attempts=-2)),
            QueueSettings(QUEUE, retry=RetryConfig(min_backoff_s=10, max_backoff_s=1)),
        ],
    )
    def test_a_queue_beyond_the_limits(self, settings: QueueSettings) -> None:
        with pytest.raises(InvalidArgumentError):
            Simulation().queues.update_queue(settings)

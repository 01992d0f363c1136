"""Whatever happens to a queue, and in whatever order: no task is lost, none runs twice for nothing, no limit breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from local.tasks.values import Attempt, Outcome, RateLimits, RetryConfig
from tests.local.tasks.story import QUEUE, START, Simulation

RATE, AT_ONCE = 7.0, 4
STEP = st.one_of(
    st.tuples(st.just("create"), st.integers(0, 9)),
    st.tuples(st.just("answer"), st.sampled_from([200, 404, 429, 500, 503])),
    st.tuples(st.just("wait"), st.floats(0, 60)),
    st.tuples(st.sampled_from(["pause", "resume"]), st.just(0)),
)


@given(st.lists(STEP, max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_history(steps: list[tuple[str, float]]) -> None:
    sim = Simulation(RateLimits(RATE, AT_ONCE), RetryConfig(max_attempts=-1, max_backoff_s=5))
    created: list[str] = []
    succeeded: list[str] = []
    started: list[float] = []
    running: list[Attempt] = []

    def take() -> None:
        attempts = sim.queues.take_due()
        assert not ({attempt.task.name for attempt in attempts} & set(succeeded))
        running.extend(attempts)
        started.extend((sim.clock.now - START).total_seconds() for _ in attempts)
        assert len(sim.queues.queue(QUEUE).in_flight) <= AT_ONCE

    def answer(status: int) -> None:
        attempt = running.pop(0)
        sim.queues.finish(attempt, Outcome(status))
        if status == 200 and sim.clock.now < attempt.deadline_at:
            succeeded.append(attempt.task.name)

    for action, value in steps:
        match action:
            case "create":
                created.append(
                    sim.create(scheduled_at=sim.clock.now.replace(second=int(value)), dispatch_deadline_s=15)
                )
            case "answer" if running:
                answer(int(value))
            case "wait":
                sim.clock.advance(value)
            case "pause":
                sim.queues.pause_queue(QUEUE)
            case "resume":
                sim.queues.resume_queue(QUEUE)
        take()

    sim.queues.resume_queue(QUEUE)
    take()
    while running or sim.queues.next_start_at():
        if not running:
            sim.clock.now = max(sim.queues.next_start_at() or sim.clock.now, sim.clock.now)
        while running:
            answer(200)
        take()

    assert sorted(succeeded) == sorted(created)
    assert sim.queues.queue(QUEUE).depth == 0
    for first, at in enumerate(started):
        inside = sum(1 for other in started[first:] if other < at + 1)
        assert inside <= 2 * RATE + 1, "one burst and one second's refill at most"

"""The process dies before, in the middle of and after every side effect, and the queue delivers again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.domain.calendar.stream import Verdict
from shared.usecases.calendar.open_calendars import open_calendars
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.renew_channel import renew_channel
from shared.usecases.calendar.settle_held_deletions import settle_held_deletions
from shared.usecases.calendar.sync_calendar import sync_calendar
from shared.usecases.promises import sweep_outbox
from tests.crash import Flow, try_every_point
from tests.usecases.calendar.fake_calendar import at, event, instance
from tests.usecases.calendar.test_generations import ADMIN, fill
from tests.usecases.calendar.world import ANN_MAILBOX, ANN_STREAM, BEN_MAILBOX, CARLA, DAN, World

SERIES = event("weekly", at(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",))


def shown(world: World) -> dict[str, Any]:
    """What people see, and that nothing is left undone."""
    stream = world.streams().get(ANN_STREAM).value
    return {
        "carla": world.timeline("carla"),
        "dan": world.timeline("dan"),
        "events": world.events(),
        "waiting": world.copies().waiting_before(world.clock.now(), 10),
        "unfinished": (stream.page, stream.absence),
        "running channels": len(world.ann.running()),
    }


def later(world: World) -> None:
    """A lease ends, the outbox is swept, and a poll finds rebuilds that lost their tasks."""
    world.clock.advance(400)


def settle(world: World) -> None:
    """What the scheduler does sooner or later, until no task is left that a queue tries again."""
    for _ in range(3):
        world.clock.advance(400)
        sweep_outbox(world.documents, tasks=world.tasks, clock=world.clock)
        world.read(ANN_MAILBOX)


def connected() -> World:
    world = World()
    world.ann.put(SERIES)
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.connect()
    world.clock.advance(1)
    return world


def changed() -> World:
    world = connected()
    world.ann.put(instance(SERIES, at(2026, 3, 10, 9), at(2026, 3, 11, 14), title="Moved"))
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA, DAN))
    world.ann.page_size = 1
    return world


def sync(world: World) -> None:
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)
    world.drain()


def assert_survives(flow: Flow[World], least: int) -> None:
    report = try_every_point(flow)
    assert len(report.calls) >= least, report
    assert not report.failures, str(report)


def test_connecting_survives_a_crash_at_every_point() -> None:
    def build() -> World:
        world = World()
        world.ann.put(SERIES)
        return world

    def run(world: World) -> None:
        open_calendars(world.served(), documents=world.documents)
        world.drain()
        settle(world)

    def state(world: World) -> dict[str, Any]:
        # A channel whose opening was not answered runs on until it ends, or is stopped by the next renewal.
        return {name: value for name, value in shown(world).items() if name != "running channels"}

    assert_survives(Flow("connect", build, run, state, later), least=8)


def test_reading_changes_survives_a_crash_at_every_point() -> None:
    def run(world: World) -> None:
        sync(world)
        settle(world)

    assert_survives(Flow("sync", changed, run, shown, later), least=8)


def test_a_crash_between_commit_and_tasks_is_made_good_by_the_poll_alone() -> None:
    """The reading is not delivered again: whatever the rows remember must be enough."""

    def run(world: World) -> None:
        if world.streams().get(ANN_STREAM).value.lease.fence == 1:
            sync(world)
        settle(world)

    assert_survives(Flow("poll", changed, run, shown, later), least=8)


def test_a_new_generation_survives_a_crash_at_every_point() -> None:
    def build() -> World:
        world = changed()
        world.ann.expire_tokens()
        world.ann.vanish("intro")
        return world

    def run(world: World) -> None:
        sync(world)
        settle(world)

    assert_survives(Flow("generation", build, run, shown, later), least=8)


def test_an_approved_deletion_survives_a_crash_at_every_point() -> None:
    def build() -> World:
        world = World()
        fill(world, 6)
        world.connect()
        world.ann.expire_tokens()
        world.ann.omitted = {f"m{number:03}" for number in range(6)}
        world.read()
        return world

    def run(world: World) -> None:
        settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.REMOVE)
        world.drain()
        settle(world)

    assert_survives(Flow("approve", build, run, shown, later), least=8)


def test_replacing_a_channel_survives_a_crash_at_every_point() -> None:
    """Every crash ends with one channel that runs and is ours; a renewal that died leaves its orphan to the next."""

    def build() -> World:
        world = connected()
        world.clock.advance(5.5 * 86_400)
        return world

    def run(world: World) -> None:
        renew_channel(world.served(), ANN_STREAM, documents=world.documents)
        world.drain()
        settle(world)

    assert_survives(Flow("renew", build, run, shown, later), least=5)


def test_two_calendars_of_one_meeting_survive_a_crash_at_every_point() -> None:
    def build() -> World:
        world = World()
        meeting = event("joint", at(2026, 3, 4, 10), CARLA)
        world.connect(ANN_MAILBOX, BEN_MAILBOX)
        world.ann.put(meeting)
        world.ben.put(replace(meeting, event_id="bens", organizer_is_self=False))
        world.clock.advance(1)
        return world

    def run(world: World) -> None:
        for _ in range(3):
            world.clock.advance(400)
            world.read(ANN_MAILBOX)
            world.read(BEN_MAILBOX)

    assert_survives(Flow("two calendars", build, run, shown, later), least=8)

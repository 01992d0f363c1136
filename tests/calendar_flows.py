"""The ways of calendars through the product, for the crash harness.

Every run ends with what the scheduler does sooner or later, so a flow ends when nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.domain.calendar.stream import Verdict
from shared.usecases.calendar.open_calendars import open_calendars
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.renew_channel import renew_channel
from shared.usecases.calendar.roll_series import roll_series
from shared.usecases.calendar.settle_held_deletions import settle_held_deletions
from shared.usecases.calendar.sync_calendar import sync_calendar
from shared.usecases.promises import sweep_outbox
from tests.crash import Flow
from tests.crash_flows import FunctionFlow
from tests.usecases.calendar.fake_calendar import at, event, instance
from tests.usecases.calendar.test_generations import ADMIN, fill
from tests.usecases.calendar.world import ANN_MAILBOX, ANN_STREAM, BEN_MAILBOX, CARLA, DAN, World

SERIES = event("weekly", at(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",))
ENDLESS = event("endless", at(2026, 3, 3, 9), CARLA, recurrence=("RRULE:FREQ=MONTHLY",))


def flow(
    name: str,
    *functions: str,
    build: Callable[[], World],
    run: Callable[[World], None],
    state: Callable[[World], Any] | None = None,
    least: int = 8,
) -> FunctionFlow:
    def whole(world: World) -> None:
        run(world)
        settle(world)

    return FunctionFlow(frozenset(functions), Flow(name, build, whole, state or shown, later), least)


def shown(world: World) -> dict[str, Any]:
    """What people see, and that nothing is left undone."""
    return {**without_channels(world), "running channels": len(world.ann.running())}


def without_channels(world: World) -> dict[str, Any]:
    """A channel whose opening was not answered runs on until it ends, or is stopped by the next renewal."""
    stream = world.streams().get(ANN_STREAM).value
    return {
        "carla": world.timeline("carla"),
        "dan": world.timeline("dan"),
        "events": world.events(),
        "waiting": world.copies().waiting_before(world.clock.now(), 10),
        "unfinished": (stream.page, stream.absence),
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


def unconnected() -> World:
    world = World()
    world.ann.put(SERIES)
    return world


def connect(world: World) -> None:
    open_calendars(world.served(), documents=world.documents)
    world.drain()


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


def notice(world: World) -> None:
    """The vendor posts a notice on the channel that runs."""
    [channel_id, *_] = world.ann.running()
    world.notice(channel_id)
    world.drain()


def sync(world: World) -> None:
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)
    world.drain()


def sync_once(world: World) -> None:
    """The reading is not delivered again: whatever the rows remember must be enough."""
    if world.streams().get(ANN_STREAM).value.lease.fence == 1:
        sync(world)


def token_expired() -> World:
    world = changed()
    world.ann.expire_tokens()
    world.ann.vanish("intro")
    return world


def deletions_held() -> World:
    world = World()
    fill(world, 6)
    world.connect()
    world.ann.expire_tokens()
    world.ann.omitted = {f"m{number:03}" for number in range(6)}
    world.read()
    return world


def approve(world: World) -> None:
    settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.REMOVE)
    world.drain()


def channel_ends() -> World:
    world = connected()
    world.clock.advance(5.5 * 86_400)
    return world


def replace_channel(world: World) -> None:
    renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    world.drain()


def endless() -> World:
    """A series without an end; the horizon has moved on since it was read."""
    world = World()
    world.ann.put(ENDLESS)
    world.connect()
    world.clock.advance(40 * 86_400)
    return world


def roll(world: World) -> None:
    roll_series(world.documents, tasks=world.tasks, clock=world.clock)
    world.drain()


def two_calendars() -> World:
    world = World()
    meeting = event("joint", at(2026, 3, 4, 10), CARLA)
    world.connect(ANN_MAILBOX, BEN_MAILBOX)
    world.ann.put(meeting)
    world.ben.put(replace(meeting, event_id="bens", organizer_is_self=False))
    world.clock.advance(1)
    return world


def read_both(world: World) -> None:
    for _ in range(2):  # a reading that fails is made good by the next poll
        world.read(ANN_MAILBOX)
        world.clock.advance(400)
        world.read(BEN_MAILBOX)
        world.clock.advance(400)


FLOWS: tuple[FunctionFlow, ...] = (
    flow("calendars are followed", "calendar_sync", build=unconnected, run=connect, state=without_channels),
    flow("a notice of a change", "calendar_push", "calendar_sync", "meeting_rebuild", build=changed, run=notice),
    flow("changes are read", "calendar_sync", "meeting_rebuild", build=changed, run=sync),
    flow("a lost reading", "calendar_sync", "meeting_rebuild", build=changed, run=sync_once),
    flow("a new generation", "calendar_sync", build=token_expired, run=sync),
    flow("held deletions are approved", "deletions_settle", build=deletions_held, run=approve),
    flow("a channel is replaced", "channel_renew", "channel_stop", build=channel_ends, run=replace_channel, least=5),
    flow("an endless series rolls on", "series_roll", "meeting_rebuild", build=endless, run=roll),
    flow("two calendars of one meeting", "calendar_sync", build=two_calendars, run=read_both),
)

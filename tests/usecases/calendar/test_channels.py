"""Notices, and the channels they come by (I7, G29, D3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.calendar.stream import ChannelNotice
from shared.errors import ContendedError, ProofError, ProviderUnavailableError
from shared.ports.calendar import OpenedChannel
from shared.records.routes import Routes
from shared.usecases.calendar.accept_notice import accept_notice
from shared.usecases.calendar.renew_channel import close_calendars, renew_channel
from tests.usecases.calendar.fake_calendar import OUTAGE, at, event
from tests.usecases.calendar.world import ANN_STREAM, CARLA, World

DAY_S = timedelta(days=1).total_seconds()


def the_channel(world: World) -> str:
    (channel_id,) = world.ann.running()
    return channel_id


def syncs(world: World) -> int:
    return len([task for task in world.tasks.created if task.function == "calendar_sync"])


def test_a_notice_brings_the_change_to_the_timeline(world: World) -> None:
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.notice(the_channel(world))
    world.drain()
    assert world.titles() == ["About intro"]


def test_a_doubled_notice_is_one_reading_and_a_late_one_finds_nothing_new(world: World) -> None:
    world.connect()
    channel, before = the_channel(world), syncs(world)
    world.notice(channel, 7)
    world.notice(channel, 7)
    assert syncs(world) == before + 1
    world.drain()
    world.notice(channel, 5)
    world.drain()
    assert world.timeline("carla") == []


def test_a_channels_first_notice_is_answered_and_reads_nothing(world: World) -> None:
    world.connect()
    before = syncs(world)
    world.notice(the_channel(world), 1, opening=True)
    assert syncs(world) == before


def test_a_first_notice_may_come_before_the_answer_to_its_opening(world: World) -> None:
    opened = world.ann.open_channel

    def tells_at_once(calendar_id: str, **given: str) -> OpenedChannel:
        answer = opened(calendar_id, **given)
        world.notice(given["channel_id"], 1, opening=True)
        world.notice(given["channel_id"], 2)
        return answer

    world.ann.open_channel = tells_at_once  # type: ignore[method-assign]  # Google is quicker than its own answer
    world.connect()
    assert world.streams().get(ANN_STREAM).value.read_at is not None


@pytest.mark.parametrize(
    "wrong", [{"token": "guessed"}, {"channel_id": "unknown"}, {"resource_id": "of another calendar"}]
)
def test_an_unproven_notice_is_refused_and_nothing_is_written(world: World, wrong: dict[str, str]) -> None:
    world.connect()
    channel_id = the_channel(world)
    true = ChannelNotice(
        channel_id, world.ann.channels[channel_id].token, "resource of ann@acme.example", "9", opening=False
    )
    before, queued = world.documents.dump(), len(world.tasks.created)
    with pytest.raises(ProofError):
        accept_notice(
            replace(true, **wrong),  # type: ignore[arg-type]  # one field by name
            routes=Routes(world.documents),
            store_of=lambda _: world.store,
            tasks=world.tasks,
        )
    assert (world.documents.dump(), len(world.tasks.created)) == (before, queued)


def test_the_stored_channel_does_not_hold_its_token(world: World) -> None:
    world.connect()
    assert world.ann.channels[the_channel(world)].token not in world.words()


def test_a_channel_is_replaced_before_it_ends_and_the_old_one_is_stopped_after(world: World) -> None:
    world.connect()
    first = the_channel(world)
    world.clock.advance(5.5 * DAY_S)
    renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    assert set(world.ann.running()) > {first}
    world.drain()
    assert first not in world.ann.running()
    assert len(world.ann.running()) == 1

    with pytest.raises(ProofError):
        world.notice(first)
    world.notice(the_channel(world))


def test_a_channel_that_lasts_is_left_alone_however_often_it_is_asked_for(world: World) -> None:
    world.connect()
    for _ in range(3):
        renew_channel(world.served(), f"{ANN_STREAM}-channel", documents=world.documents)
    assert len(world.ann.channels) == 1


def test_a_lost_answer_leaves_an_orphan_that_the_next_renewal_stops(world: World) -> None:
    world.connect()
    world.clock.advance(5.5 * DAY_S)
    opened = world.ann.open_channel

    def answer_is_lost(calendar_id: str, **given: str) -> OpenedChannel:
        opened(calendar_id, **given)
        raise OUTAGE

    world.ann.open_channel = answer_is_lost  # type: ignore[method-assign]  # done, and the reply lost
    with pytest.raises(ProviderUnavailableError):
        renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    world.ann.open_channel = opened  # type: ignore[method-assign]  # it answers again
    assert len(world.ann.running()) == 2

    renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    world.drain()
    assert len(world.ann.running()) == 1
    world.notice(the_channel(world))


def test_two_renewals_at_once_end_with_one_channel(world: World) -> None:
    world.connect()
    world.clock.advance(5.5 * DAY_S)
    opened = world.ann.open_channel
    inner: list[str] = []

    def meets_another(calendar_id: str, **given: str) -> OpenedChannel:
        if not inner:
            inner.append(calendar_id)
            renew_channel(world.served(), ANN_STREAM, documents=world.documents)
        return opened(calendar_id, **given)

    world.ann.open_channel = meets_another  # type: ignore[method-assign]  # a second worker in the middle of the call
    renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    world.ann.open_channel = opened  # type: ignore[method-assign]  # calm again
    world.drain()
    world.notice(the_channel(world))


def test_a_renewal_that_gives_way_to_one_that_dies_is_not_done(world: World) -> None:
    """The quicker one never opened its channel: whoever gave way to it is tried again."""
    world.connect()
    world.clock.advance(6 * DAY_S)
    opened, others = world.ann.open_channel, [OUTAGE]

    def meets_another_that_dies(calendar_id: str, **given: str) -> OpenedChannel:
        if others:
            world.ann.fail_next.append(others.pop())
            with pytest.raises(ProviderUnavailableError):
                renew_channel(world.served(), ANN_STREAM, documents=world.documents)
        return opened(calendar_id, **given)

    world.ann.open_channel = meets_another_that_dies  # type: ignore[method-assign]  # a second worker, at that moment
    with pytest.raises(ContendedError):
        renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    world.drain()
    stored = world.streams().watch(ANN_STREAM)
    assert stored is not None
    assert stored.value.channel is not None
    assert world.ann.running() == [stored.value.channel.channel_id]


def test_after_silence_the_calendar_is_read_when_a_channel_opens_again(world: World) -> None:
    world.connect()
    world.clock.advance(9 * DAY_S)
    assert world.ann.running() == []
    world.ann.put(event("missed", at(2026, 3, 14, 10), CARLA))
    renew_channel(world.served(), ANN_STREAM, documents=world.documents)
    world.drain()
    assert world.titles() == ["About missed"]


def test_a_dropped_notice_is_made_up_for_by_the_poll(world: World) -> None:
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.read()
    assert world.titles() == ["About intro"]


def test_disconnecting_stops_every_channel_and_forgets_its_route(world: World) -> None:
    world.connect()
    channel = the_channel(world)
    close_calendars(world.served(), documents=world.documents)
    assert world.ann.running() == []
    with pytest.raises(ProofError):
        world.notice(channel)
    assert [stream.stream_id for stream in world.streams().all()] == [ANN_STREAM]


def test_connecting_twice_opens_one_channel_and_keeps_the_token(world: World) -> None:
    world.connect()
    token = world.streams().get(ANN_STREAM).value.sync_token
    world.connect()
    assert len(world.ann.channels) == 1
    assert world.streams().get(ANN_STREAM).value.sync_token == token

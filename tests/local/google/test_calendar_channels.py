"""Push channels: opened, told, retried, replaced, and the ways in which their messages go astray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.google.errors import ApiError, ControlError, Json
from tests.local.google.calendar_world import ADA, BOB, World

HOOK = "https://crm.example/calendar-push"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def watch(world: World, user: str = ADA, **wish: Any) -> Json:
    body = {"id": "channel-1", "type": "web_hook", "address": HOOK, "token": "secret", **wish}
    return world.call("events.watch", user, calendarId="primary", body=body)


def states(world: World) -> list[str]:
    return [message.state for message in world.receiver.received]


def outcomes(world: World) -> list[str]:
    return [entry["outcome"] for entry in world.control("pushes")["messages"]]


def test_a_new_channel_answers_ids_and_an_end_in_seven_days(world: World) -> None:
    channel = watch(world)
    assert (channel["kind"], channel["id"], channel["token"]) == ("api#channel", "channel-1", "secret")
    assert int(channel["expiration"]) == int(world.now.timestamp() * 1000) + 7 * 24 * 3600 * 1000
    assert channel["resourceUri"].endswith("/calendars/ada%40example.com/events?alt=json")


@pytest.mark.parametrize("wish", [{"expiration": "1772500000000"}, {"params": {"ttl": "133600"}}])
def test_the_end_can_be_chosen(world: World, wish: dict[str, Any]) -> None:
    assert watch(world, **wish)["expiration"] == "1772500000000"


def test_the_first_message_is_sync_number_one_with_true_headers(world: World) -> None:
    channel = watch(world)
    (sync,) = world.receiver.received
    assert sync.address == HOOK
    assert dict(sync.headers) == {
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Expiration": "Sun, 08 Mar 2026 12:00:00 GMT",
        "X-Goog-Resource-State": "sync",
        "X-Goog-Message-Number": "1",
        "X-Goog-Resource-ID": channel["resourceId"],
        "X-Goog-Resource-URI": channel["resourceUri"],
        "X-Goog-Channel-Token": "secret",
    }


def test_a_channel_without_token_sends_no_token_header(world: World) -> None:
    assert "token" not in watch(world, token="")
    assert "X-Goog-Channel-Token" not in world.receiver.received[0].headers


def test_each_change_is_one_message_and_numbers_grow_with_gaps(world: World) -> None:
    watch(world)
    for _ in range(20):
        world.meeting()
    numbers = [message.number for message in world.receiver.received]
    assert states(world) == ["sync"] + ["exists"] * 20
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 21


def test_seeding_many_events_is_one_message(world: World) -> None:
    watch(world)
    day = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}
    world.control("seed", email=ADA, events=[{"id": f"seed{number}", **day} for number in range(50)])
    assert states(world) == ["sync", "exists"]


def test_a_meeting_tells_the_channels_of_all_guests_and_nobody_else(world: World) -> None:
    for user in (ADA, BOB, "cleo@example.com"):
        watch(world, user, id=f"channel-{user[0]}")
    world.receiver.received.clear()
    world.meeting(BOB)
    assert sorted(message.channel_id for message in world.receiver.received) == ["channel-a", "channel-b"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, None])
def test_a_busy_receiver_is_tried_again_with_growing_pauses(world: World, status: int | None) -> None:
    watch(world)
    world.receiver.statuses = [status, status]
    world.meeting()
    world.wait(seconds=0)
    assert len(world.receiver.received) == 2
    world.wait(seconds=1)
    assert len(world.receiver.received) == 3
    world.wait(seconds=1)
    assert len(world.receiver.received) == 3
    world.wait(seconds=1)
    assert [message.number for message in world.receiver.received[1:]] == [world.receiver.received[1].number] * 3
    assert outcomes(world) == ["delivered", "to be tried again", "to be tried again", "delivered"]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429])
def test_any_other_answer_loses_the_message(world: World, status: int) -> None:
    watch(world)
    world.receiver.statuses = [status]
    world.meeting()
    world.wait(hours=1)
    assert states(world) == ["sync", "exists"]
    assert outcomes(world)[-1] == f"lost: {status}"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 102])
def test_five_answers_are_an_acknowledgement(world: World, status: int) -> None:
    watch(world)
    world.receiver.statuses = [status]
    world.meeting()
    world.wait(hours=1)
    assert outcomes(world) == ["delivered", "delivered"]


def test_a_receiver_that_never_answers_is_given_up(world: World) -> None:
    watch(world)
    world.receiver.statuses = [503] * 20
    world.meeting()
    for _ in range(20):
        world.wait(minutes=2)
    assert outcomes(world)[-1] == "lost: given up"
    assert len(world.receiver.received) == 9


def test_a_stopped_channel_is_silent(world: World) -> None:
    channel = watch(world)
    body = {"id": channel["id"], "resourceId": channel["resourceId"]}
    world.call("channels.stop", body=body)
    world.meeting()
    assert states(world) == ["sync"]
    with pytest.raises(ApiError) as gone:
        world.call("channels.stop", body=body)
    assert gone.value.status == 404


def test_a_message_on_its_way_when_its_channel_stops_is_not_tried_again(world: World) -> None:
    channel = watch(world)
    world.receiver.statuses = [503]
    world.meeting()
    world.call("channels.stop", body={"id": channel["id"], "resourceId": channel["resourceId"]})
    world.wait(minutes=1)
    assert states(world) == ["sync", "exists"]
    assert outcomes(world) == ["delivered", "lost: given up"]


def test_only_its_own_user_with_the_right_resource_can_stop_a_channel(world: World) -> None:
    channel = watch(world)
    for user, resource in ((BOB, channel["resourceId"]), (ADA, "another")):
        with pytest.raises(ApiError):
            world.call("channels.stop", user, body={"id": channel["id"], "resourceId": resource})
    world.meeting()
    assert states(world) == ["sync", "exists"]


def test_an_expired_channel_is_silent_and_its_replacement_overlaps(world: World) -> None:
    watch(world)
    world.wait(days=6)
    watch(world, id="channel-2")
    world.meeting()
    assert len(world.receiver.received) == 4
    world.wait(days=2)
    world.meeting()
    assert [message.channel_id for message in world.receiver.received[4:]] == ["channel-2"]


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"id": ""}, "channelIdInvalid"),
        ({"id": "x" * 65}, "channelIdInvalid"),
        ({"id": "no spaces"}, "channelIdInvalid"),
        ({"type": "email"}, "channelTypeUnknown"),
        ({"address": "http://crm.example/push"}, "push.webhookUrlNotHttps"),
        ({"token": "x" * 257}, "channelTokenTooLong"),
        ({"expiration": "1000"}, "channelExpired"),
    ],
)
def test_what_google_refuses_is_refused(world: World, wish: dict[str, Any], reason: str) -> None:
    with pytest.raises(ApiError) as refusal:
        watch(world, **wish)
    assert (refusal.value.status, refusal.value.reason) == (400, reason)


def test_a_channel_id_is_used_once(world: World) -> None:
    watch(world)
    with pytest.raises(ApiError) as refusal:
        watch(world, BOB)
    assert refusal.value.reason == "channelIdNotUnique"


def test_messages_can_be_dropped_doubled_and_delayed(world: World) -> None:
    watch(world)
    world.control("pushes", next="drop")
    world.control("pushes", next="duplicate")
    world.control("pushes", next="delay", delay_s=30)
    for _ in range(4):
        world.meeting()
    dropped, *_ = [entry for entry in world.control("pushes")["messages"] if entry["outcome"] == "dropped"]
    numbers = [message.number for message in world.receiver.received]
    assert dropped["number"] not in numbers
    assert numbers[1] == numbers[2]
    assert len(numbers) == 4
    world.wait(seconds=30)
    assert numbers[2] < world.receiver.received[-1].number < numbers[3]  # it arrives late, out of order


@pytest.mark.parametrize("fault", [{"next": "lose"}, {"next": "delay"}, {"next": "drop", "times": 0}])
def test_faults_that_mean_nothing_are_refused(world: World, fault: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        world.control("pushes", **fault)


def test_an_answer_that_comes_after_a_reset_is_forgotten(world: World) -> None:
    watch(world)
    world.service.reset()
    world.service.tick()
    assert outcomes(world) == []


def test_open_channels_survive_saving_and_loading(world: World) -> None:
    watch(world)
    world.service.load(world.service.dump())
    world.meeting()
    assert states(world) == ["sync", "exists"]

"""Connect: notices that are signed, acknowledged, tried again, and disturbed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.docusign.world import ACCOUNT, World


@pytest.fixture
def envelope(world: World) -> str:
    """One that was sent, and its first notices were delivered and forgotten."""
    envelope_id = world.signing().send(world.request()).envelope_id
    world.deliver()
    assert world.receiver.events == ["envelope-sent", "recipient-sent"]
    world.receiver.received.clear()
    return envelope_id


def bodies(world: World) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in world.receiver.received]


def act(world: World, envelope: str, action: str = "view") -> None:
    world.control("act", {"envelope": envelope, "recipient": "41", "action": action})


def test_a_notice_is_a_json_message_about_one_event(world: World, envelope: str) -> None:
    act(world, envelope)
    world.deliver()
    (body,) = bodies(world)
    assert (body["event"], body["apiVersion"], body["retryCount"]) == ("recipient-delivered", "v2.1", 0)
    assert body["generatedDateTime"] == "2026-03-02T09:00:00.0000000Z"
    assert isinstance(body["configurationId"], int)
    data = body["data"]
    assert (data["accountId"], data["envelopeId"], data["recipientId"]) == (ACCOUNT, envelope, "41")
    told = data["envelopeSummary"]
    assert told["recipients"]["signers"][0]["status"] == "delivered"
    fields = {row["name"]: row["value"] for row in told["customFields"]["textCustomFields"]}
    assert fields["throughline_contract"] == "contract-1"


def test_events_nobody_asked_for_and_envelopes_without_an_address_are_not_told(world: World, envelope: str) -> None:
    found = world.simulator.envelopes.find(envelope)
    assert found is not None
    assert found.notification is not None
    found.notification["events"] = ["envelope-completed"]
    act(world, envelope, "sign")
    world.deliver()
    assert world.receiver.events == []
    found.notification = None
    world.control("robot", {"envelope": envelope})
    world.deliver()
    assert world.receiver.events == []


def test_every_key_of_the_account_signs_and_a_changed_key_signs_at_once(world: World, envelope: str) -> None:
    act(world, envelope)
    world.deliver()
    headers, _ = world.receiver.received[0]
    assert {name for name in headers if name.lower().startswith("x-docusign-signature")} == {
        "X-Docusign-Signature-1",
        "X-Docusign-Signature-2",
    }
    assert headers["X-Authorization-Digest"] == "HMACSHA256"
    world.control("keys", {"account_id": ACCOUNT, "hmac_keys": []})
    act(world, envelope, "sign")
    world.deliver()
    assert not any("signature" in name.lower() for name in world.receiver.received[1][0])


def test_a_notice_that_is_not_acknowledged_comes_again_ever_later(world: World, envelope: str) -> None:
    world.receiver.statuses = [503, 401, 302]
    act(world, envelope)
    world.deliver()
    for wait_s in (15, 30, 60):
        world.clock.advance(wait_s - 1)
        world.deliver()
        before = len(world.receiver.received)
        world.clock.advance(1)
        world.deliver()
        assert len(world.receiver.received) == before + 1
    assert [body["retryCount"] for body in bodies(world)] == [0, 1, 2, 3]
    assert len({body["generatedDateTime"] for body in bodies(world)}) == 1
    assert world.simulator.connect.waiting == ()
    outcomes = [line["outcome"] for line in world.simulator.connect.log][2:]
    assert outcomes == ["to be tried again"] * 3 + ["delivered"]


def test_later_notices_overtake_one_that_waits_for_its_retry(world: World, envelope: str) -> None:
    world.receiver.statuses = [503]
    act(world, envelope)
    world.deliver()
    act(world, envelope, "sign")
    world.deliver()
    world.clock.advance(15)
    world.deliver()
    assert world.receiver.events == [
        "recipient-delivered",
        "recipient-completed",
        "recipient-sent",
        "recipient-delivered",
    ]


def test_a_receiver_that_never_answers_is_given_up_after_seven_days(world: World, envelope: str) -> None:
    found = world.simulator.envelopes.find(envelope)
    assert found is not None
    assert found.notification is not None
    found.notification["url"] = "http://127.0.0.1:9/nobody"
    act(world, envelope)
    for _ in range(60):
        world.deliver()
        world.clock.advance(6 * 3600)
    assert world.simulator.connect.waiting == ()
    assert world.simulator.connect.log[-1]["outcome"] == "given up"


def test_without_acknowledgment_any_answer_counts_as_delivered(world: World, envelope: str) -> None:
    found = world.simulator.envelopes.find(envelope)
    assert found is not None
    assert found.notification is not None
    found.notification["requireAcknowledgment"] = "false"
    world.receiver.statuses = [500]
    act(world, envelope)
    world.deliver()
    assert world.simulator.connect.waiting == ()


# --------------------------------------------------------------------------------------------------------- disturbances


def test_a_notice_can_be_lost(world: World, envelope: str) -> None:
    world.control("connect", {"next": "drop", "event": "recipient-completed"})
    act(world, envelope, "sign")
    world.deliver()
    assert world.receiver.events == ["recipient-delivered", "recipient-sent"]


def test_a_notice_can_come_twice(world: World, envelope: str) -> None:
    world.control("connect", {"next": "double"})
    act(world, envelope)
    world.deliver()
    first, second = world.receiver.received
    assert first[1] == second[1]


def test_a_notice_can_be_overtaken(world: World, envelope: str) -> None:
    world.control("connect", {"next": "reorder"})
    act(world, envelope, "sign")
    world.clock.advance(1)
    world.deliver()
    assert world.receiver.events == ["recipient-completed", "recipient-delivered", "recipient-sent"]


def test_a_notice_that_nothing_overtakes_comes_late(world: World, envelope: str) -> None:
    world.control("connect", {"next": "reorder"})
    act(world, envelope)
    world.deliver()
    assert world.receiver.events == []
    world.clock.advance(30)
    world.deliver()
    assert world.receiver.events == ["recipient-delivered"]


def test_a_notice_can_be_late(world: World, envelope: str) -> None:
    world.control("connect", {"next": "delay", "delay_s": 120})
    act(world, envelope)
    world.deliver()
    assert world.receiver.events == []
    world.clock.advance(120)
    world.deliver()
    assert world.receiver.events == ["recipient-delivered"]


def test_a_notice_can_come_without_a_summary(world: World, envelope: str) -> None:
    world.control("connect", {"next": "bare"})
    act(world, envelope)
    world.deliver()
    assert set(bodies(world)[0]["data"]) == {"accountId", "userId", "envelopeId", "recipientId"}

"""Gmail's notifications on a topic of Google's own Pub/Sub emulator."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.google.errors import ApiError
from local.google.publisher import EmulatorPublisher
from local.google.service import PublishError, Settings
from local.google.simulator import Simulator
from local.identity.keys import SigningKey
from tests.emulators import free_port, pubsub_emulator

ADA = "ada@acme.example"
TOPIC = "projects/demo-google/topics/gmail-push"
SUBSCRIPTION = "projects/demo-google/subscriptions/gmail-push"


def rest(host: str, verb: str, path: str, body: dict[str, Any]) -> Any:
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request(verb, f"/v1/{path}", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content
    return json.loads(content)


@pytest.fixture(scope="module")
def pubsub() -> Iterator[str]:
    with pubsub_emulator() as host:
        rest(host, "PUT", TOPIC, {})
        rest(host, "PUT", SUBSCRIPTION, {"topic": TOPIC})
        yield host


@pytest.mark.emulator
def test_a_watch_and_a_delivery_put_two_notifications_on_the_topic(
    pubsub: str, tmp_path: Path, signing_key: SigningKey
) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    simulator = Simulator(Settings(tmp_path), publish=EmulatorPublisher(pubsub), base=lambda: now, key=signing_key)
    simulator.create_account({"email": ADA})
    service: Any = simulator.mount("gmail").service
    service.model.start_watch(ADA, topic=TOPIC)
    simulator.set_offset(5)
    message = service.model.deliver(ADA, b"From: kim@client.example\r\n\r\nHi")

    received: list[dict[str, Any]] = []
    while len(received) < 2:
        answer = rest(pubsub, "POST", f"{SUBSCRIPTION}:pull", {"maxMessages": 10})
        for one in answer.get("receivedMessages", []):
            received.append(json.loads(base64.b64decode(one["message"]["data"])))
            rest(pubsub, "POST", f"{SUBSCRIPTION}:acknowledge", {"ackIds": [one["ackId"]]})
    assert {notice["emailAddress"] for notice in received} == {ADA}
    assert max(int(notice["historyId"]) for notice in received) == message.history_id


@pytest.mark.emulator
def test_a_topic_that_does_not_exist_refuses_the_watch(pubsub: str, tmp_path: Path, signing_key: SigningKey) -> None:
    simulator = Simulator(Settings(tmp_path), publish=EmulatorPublisher(pubsub), key=signing_key)
    simulator.create_account({"email": ADA})
    service: Any = simulator.mount("gmail").service
    with pytest.raises(ApiError, match="Error sending test message"):
        service.model.start_watch(ADA, topic="projects/demo-google/topics/missing")


def test_an_emulator_that_is_not_there_is_a_publish_error() -> None:
    with pytest.raises(PublishError, match="does not answer"):
        EmulatorPublisher(f"127.0.0.1:{free_port()}")(TOPIC, b"{}")

"""What every `Publisher` does: the fake, and Pub/Sub by the official client against Google's emulator."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from shared import log
from shared.errors import ProviderUnavailableError
from shared.platform.pubsub import PubSubPublisher
from shared.ports.messages import Publisher
from tests.fakes import FakePublisher, Published

TOPIC = "deal-won"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Topics:
    """A publisher under test, and what its topic got so far."""

    publisher: Publisher
    published: Callable[[], list[Published]]


def emulated_topics(host: str) -> Topics:
    import grpc
    from google.pubsub_v1 import PublisherClient, SubscriberClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

    channel = grpc.insecure_channel(host)
    project = f"test-{uuid.uuid4().hex[:12]}"
    topic, subscription = f"projects/{project}/topics/{TOPIC}", f"projects/{project}/subscriptions/{TOPIC}"
    PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(name=topic)
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    subscriber.create_subscription(name=subscription, topic=topic)

    def published() -> list[Published]:
        answer = subscriber.pull(subscription=subscription, max_messages=10)
        messages = [received.message for received in answer.received_messages]
        return [Published(TOPIC, json.loads(message.data), dict(message.attributes)) for message in messages]

    return Topics(PubSubPublisher(project=project, emulator_host=host), published)


@pytest.fixture(params=["fake", pytest.param("emulator", marks=pytest.mark.emulator)])
def topics(request: pytest.FixtureRequest) -> Topics:
    if request.param == "fake":
        publisher = FakePublisher()
        return Topics(publisher, lambda: publisher.on(TOPIC))
    return emulated_topics(request.getfixturevalue("pubsub_host"))


def test_a_message_is_json_with_its_attributes(topics: Topics) -> None:
    topics.publisher.publish(TOPIC, {"deal": "d1", "name": "Zoë"}, {"tenant": "t1"})
    assert topics.published() == [Published(TOPIC, {"deal": "d1", "name": "Zoë"}, {"tenant": "t1"})]


def test_a_message_needs_no_attributes(topics: Topics) -> None:
    topics.publisher.publish(TOPIC, {"deal": "d1"})
    assert topics.published() == [Published(TOPIC, {"deal": "d1"}, {})]


def test_a_message_takes_the_trace_along(topics: Topics) -> None:
    with log.trace(TRACEPARENT):
        topics.publisher.publish(TOPIC, {}, {"tenant": "t1"})
    assert topics.published() == [Published(TOPIC, {}, {"tenant": "t1", "traceparent": TRACEPARENT})]


def test_topics_out_of_reach_are_an_outage() -> None:
    with pytest.raises(ProviderUnavailableError):
        PubSubPublisher(project="crm", emulator_host="127.0.0.1:1").publish(TOPIC, {})

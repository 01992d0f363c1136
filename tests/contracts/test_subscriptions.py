"""Whether a push subscription would expire, asked of the emulator."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import ExpirationPolicy, Subscription

from shared.platform.subscriptions import PubSubSubscriptions

PROJECT = "subscriptions-test"

pytestmark = pytest.mark.emulator


def make(host: str, name: str, policy: ExpirationPolicy) -> None:
    channel = grpc.insecure_channel(host)
    topic = f"projects/{PROJECT}/topics/{name}"
    PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(name=topic)
    subscription = Subscription(name=f"projects/{PROJECT}/subscriptions/{name}", topic=topic, expiration_policy=policy)
    SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)).create_subscription(request=subscription)


def test_a_subscription_that_never_expires_says_so(pubsub_host: str) -> None:
    make(pubsub_host, "for-ever", ExpirationPolicy())
    assert PubSubSubscriptions(project=PROJECT, emulator_host=pubsub_host).lives_for("for-ever") is None


def test_a_subscription_that_expires_says_when(pubsub_host: str) -> None:
    make(pubsub_host, "mortal", ExpirationPolicy(ttl=Duration(seconds=31 * 86_400)))
    found = PubSubSubscriptions(project=PROJECT, emulator_host=pubsub_host).lives_for("mortal")
    assert found == timedelta(days=31)


def test_a_subscription_that_is_gone_has_no_time_left(pubsub_host: str) -> None:
    assert PubSubSubscriptions(project=PROJECT, emulator_host=pubsub_host).lives_for("nowhere") == timedelta(0)

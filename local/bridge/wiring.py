"""Which topics and push subscriptions the manifests ask for, and how they are made on the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.api_core.exceptions import AlreadyExists, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from local.cloud.manifests import DEAD_LETTER_TOPIC, Backoff, Manifest

CALL_TIMEOUT_S = 5.0
WHILE_STARTING = Retry(if_exception_type(ServiceUnavailable), initial=0.05, maximum=0.2, multiplier=1.5, timeout=30.0)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One push subscription: whom it calls and how it tries again."""

    name: str
    topic: str
    endpoint: str  # also the audience of the token
    ack_deadline_s: int  # a push that takes longer has failed
    backoff: Backoff
    max_attempts: int | None  # None: no dead-letter policy


def topics_of(manifests: Iterable[Manifest]) -> frozenset[str]:
    """Return every topic that somebody listens to or publishes to, and the one for what was given up."""
    named = (topic for manifest in manifests for topic in (manifest.topic, *manifest.uses.topics))
    return frozenset({DEAD_LETTER_TOPIC, *filter(None, named)})


def subscriptions_of(manifests: Iterable[Manifest], base_url: str) -> tuple[Subscription, ...]:
    """Return one subscription per push function, with the laptop's shorter back-off."""
    return tuple(
        Subscription(
            name=manifest.cloud_name,
            topic=manifest.topic,
            endpoint=f"{base_url}/{manifest.name}",
            ack_deadline_s=manifest.ack_deadline_s,
            backoff=manifest.push_settings.local_backoff,
            # What reads the dead letters has none of its own: it would feed itself.
            max_attempts=None if manifest.topic == DEAD_LETTER_TOPIC else manifest.push_settings.max_attempts,
        )
        for manifest in manifests
        if manifest.topic
    )


def create(project: str, topics: Iterable[str], subscriptions: Iterable[Subscription]) -> None:
    """Make topics and subscriptions that are not there yet, on the emulator that PUBSUB_EMULATOR_HOST names.

    Doing it again changes nothing. The calls wait for an emulator that is still starting.
    """
    with PublisherClient() as publisher:
        for topic in topics:
            _unless_there(publisher.create_topic, name=publisher.topic_path(project, topic))
    with SubscriberClient() as subscriber:
        for subscription in subscriptions:
            _unless_there(subscriber.create_subscription, **_settings(project, subscription))


def _settings(project: str, subscription: Subscription) -> dict[str, Any]:
    topic_path = PublisherClient.topic_path
    settings: dict[str, Any] = {
        "name": SubscriberClient.subscription_path(project, subscription.name),
        "topic": topic_path(project, subscription.topic),
        "ack_deadline_seconds": subscription.ack_deadline_s,
        "retry_policy": {
            "minimum_backoff": timedelta(seconds=subscription.backoff.min_backoff_s),
            "maximum_backoff": timedelta(seconds=subscription.backoff.max_backoff_s),
        },
        "expiration_policy": {},  # never expires
    }
    if subscription.max_attempts is not None:
        settings["dead_letter_policy"] = {
            "dead_letter_topic": topic_path(project, DEAD_LETTER_TOPIC),
            "max_delivery_attempts": subscription.max_attempts,
        }
    return settings


def _unless_there(create_one: Callable[..., object], **resource: object) -> None:
    with suppress(AlreadyExists):
        create_one(request=resource, retry=WHILE_STARTING, timeout=CALL_TIMEOUT_S)

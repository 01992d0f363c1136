"""Messages published to Google's emulator arrive as production push delivers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask, request
from google.api_core.exceptions import NotFound, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from local.bridge import wiring
from local.bridge.pusher import Pusher
from local.bridge.wiring import Subscription
from local.cloud.environment import CALLER
from local.cloud.manifests import DEAD_LETTER_TOPIC, Backoff, parse_manifest
from local.cloud.ports import Ports
from local.cloud.serving import running
from local.cloud.supervisor import Supervisor
from local.identity.keys import SigningKey

pytestmark = pytest.mark.emulator
WITHIN_S = 20.0


@dataclass
class Push:
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Endpoint:
    """A function that answers what the test tells it to, then 204 for ever."""

    pushes: SimpleQueue[Push] = field(default_factory=SimpleQueue)
    answers: list[int] = field(default_factory=list)
    url: str = ""

    def app(self) -> Flask:
        app = Flask("function")

        @app.post("/gmail_push")
        def gmail_push() -> tuple[str, int]:
            self.pushes.put(Push(request.get_json(), dict(request.headers)))
            return "", self.answers.pop(0) if self.answers else 204

        return app

    def next(self) -> Push:
        return self.pushes.get(timeout=WITHIN_S)

    def stays_quiet_for(self, seconds: float) -> bool:
        try:
            self.pushes.get(timeout=seconds)
        except Empty:
            return True
        return False


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    ports, data = Ports.free(), tmp_path_factory.mktemp("pubsub")
    project = data / "project"
    (project / "functions").mkdir(parents=True)
    only = frozenset({"pubsub"})
    with Supervisor(ports, data, root=project, only=only) as supervisor, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{ports.pubsub}")
        yield supervisor


@pytest.fixture
def project(emulator: Supervisor) -> str:
    """A project nobody else uses: the emulator keeps them apart."""
    return f"p-{uuid4().hex[:12]}"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.load_or_create(tmp_path / "identity.pem")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    with running(endpoint.app()) as url:
        endpoint.url = f"{url}/gmail_push"
        yield endpoint


@pytest.fixture
def subscription(endpoint: Endpoint) -> Subscription:
    return Subscription("gmail-push", "gmail-push", endpoint.url, 10, Backoff(0.1, 0.2), max_attempts=5)


@pytest.fixture
def push(project: str, key: SigningKey) -> Iterator[Callable[[Subscription], Pusher]]:
    with ExitStack() as stack:

        def start(subscription: Subscription) -> Pusher:
            def create() -> None:
                wiring.create(project, {subscription.topic, DEAD_LETTER_TOPIC}, [subscription])

            create()
            pusher = Pusher(project, subscription, lambda url: key.mint_service_token(url, CALLER), create)
            pusher.start()
            stack.callback(pusher.wait_stopped, WITHIN_S)
            stack.callback(pusher.stop)
            return pusher

        yield start


@pytest.fixture
def publish(project: str) -> Iterator[Callable[..., str]]:
    with PublisherClient() as publisher:

        def to_topic(data: bytes, **attributes: str) -> str:
            topic = publisher.topic_path(project, "gmail-push")
            return str(publisher.publish(topic, data, **attributes).result(timeout=WITHIN_S))

        yield to_topic


def test_message_arrives_wrapped_and_signed(
    push: Callable[[Subscription], Pusher],
    subscription: Subscription,
    publish: Callable[..., str],
    endpoint: Endpoint,
    key: SigningKey,
    project: str,
) -> None:
    push(subscription)

    message_id = publish(b"hint", kind="mail")

    got = endpoint.next()
    assert got.body["subscription"] == f"projects/{project}/subscriptions/gmail-push"
    assert got.body["deliveryAttempt"] == 1
    assert got.body["message"]["messageId"] == got.body["message"]["message_id"] == message_id
    assert (got.body["message"]["data"], got.body["message"]["attributes"]) == ("aGludA==", {"kind": "mail"})
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["User-Agent"].startswith("APIs-Google")
    token = got.headers["Authorization"].removeprefix("Bearer ")
    public = jwt.PyJWKSet.from_dict(key.jwks())[key.key_id]
    claims = jwt.decode(token, public, algorithms=["RS256"], audience=endpoint.url)
    assert (claims["email"], claims["email_verified"]) == (CALLER, True)


def test_refused_message_comes_again_until_it_is_taken(
    push: Callable[[Subscription], Pusher], subscription: Subscription, publish: Callable[..., str], endpoint: Endpoint
) -> None:
    endpoint.answers = [503, 302, 204]
    push(subscription)

    publish(b"hint")

    attempts = [endpoint.next().body["deliveryAttempt"] for _ in range(3)]
    assert attempts == [1, 2, 3]
    assert endpoint.stays_quiet_for(1.0)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_acknowledging_status_ends_the_delivery(
    push: Callable[[Subscription], Pusher],
    subscription: Subscription,
    publish: Callable[..., str],
    endpoint: Endpoint,
    status: int,
) -> None:
    endpoint.answers = [status]
    push(subscription)

    publish(b"hint")

    endpoint.next()
    assert endpoint.stays_quiet_for(0.5)


def test_message_nobody_takes_becomes_a_dead_letter(
    push: Callable[[Subscription], Pusher],
    subscription: Subscription,
    publish: Callable[..., str],
    endpoint: Endpoint,
    project: str,
) -> None:
    endpoint.answers = [503] * 100
    push(subscription)
    reader = Subscription("dead-letter-reader", DEAD_LETTER_TOPIC, endpoint.url, 10, Backoff(1, 10), max_attempts=None)
    wiring.create(project, {DEAD_LETTER_TOPIC}, [reader])

    publish(b"poison")

    with SubscriberClient() as subscriber:
        path = subscriber.subscription_path(project, reader.name)
        answer = subscriber.pull(subscription=path, max_messages=1, timeout=WITHIN_S)
    dead = answer.received_messages[0].message
    assert dead.data == b"poison"
    assert dead.attributes["CloudPubSubDeadLetterSourceSubscription"] == "gmail-push"
    assert [endpoint.next().body["deliveryAttempt"] for _ in range(5)] == [1, 2, 3, 4, 5]


def test_delivery_attempt_is_told_only_under_a_dead_letter_policy(
    push: Callable[[Subscription], Pusher], subscription: Subscription, publish: Callable[..., str], endpoint: Endpoint
) -> None:
    push(replace(subscription, max_attempts=None))

    publish(b"hint")

    assert "deliveryAttempt" not in endpoint.next().body


def test_burst_is_delivered_once_each_and_quickly(
    push: Callable[[Subscription], Pusher], subscription: Subscription, publish: Callable[..., str], endpoint: Endpoint
) -> None:
    pusher = push(subscription)
    sent = {publish(str(number).encode()) for number in range(100)}

    got = [endpoint.next().body["message"]["messageId"] for _ in sent]

    assert set(got) == sent
    assert len(got) == len(set(got))
    assert endpoint.stays_quiet_for(0.2)
    assert pusher.figures()["answers"] == {"204": 100}


def test_emulator_that_lost_its_memory_gets_its_subscriptions_back(
    push: Callable[[Subscription], Pusher],
    subscription: Subscription,
    endpoint: Endpoint,
    emulator: Supervisor,
    project: str,
) -> None:
    push(subscription)
    emulator.restart("pubsub")

    with PublisherClient() as publisher:
        retry = Retry(if_exception_type(NotFound, ServiceUnavailable), initial=0.1, maximum=0.2, timeout=WITHIN_S)
        topic = publisher.topic_path(project, "gmail-push")
        retry(publisher.get_topic)(topic=topic)
        # The topic is made just before the subscription, and only messages published after both are delivered.
        path = SubscriberClient.subscription_path(project, subscription.name)
        with SubscriberClient() as subscriber:
            retry(subscriber.get_subscription)(subscription=path)
        publisher.publish(topic, b"after the crash").result(timeout=WITHIN_S)

    assert endpoint.next().body["subscription"] == path


def test_subscriptions_come_from_the_manifests() -> None:
    def manifest(name: str, topic: str) -> Any:
        content = {
            "trigger": "push",
            "topic": topic,
            "public": False,
            "memory": "256Mi",
            "timeout_s": 30,
            "concurrency": 1,
            "min_instances": 0,
            "providers": "all",
            "owner": "mail",
            "uses": {"topics": ["deal-won"]},
        }
        return parse_manifest(name, content, source="function.yaml")

    manifests = [manifest("gmail_push", "gmail-push"), manifest("dead_letter_push", DEAD_LETTER_TOPIC)]

    gmail, dead = wiring.subscriptions_of(manifests, "http://127.0.0.1:8210")

    assert (gmail.name, gmail.endpoint) == ("gmail-push", "http://127.0.0.1:8210/gmail_push")
    assert (gmail.ack_deadline_s, gmail.backoff, gmail.max_attempts) == (30, Backoff(1, 10), 100)
    assert dead.max_attempts is None
    assert wiring.topics_of(manifests) == {"gmail-push", "deal-won", DEAD_LETTER_TOPIC}

"""I6: a subscription that is gone is noticed, although a quiet mailbox looks the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.ports.marks import reads
from shared.usecases.check_push_path import HEARTBEAT, TOPIC, check_push_path, hear_heartbeat
from tests.fakes import FakeClock, FakePublisher, MemoryDocuments


class FakeSubscriptions:
    """One subscription, which lives for ever unless a story says otherwise."""

    def __init__(self) -> None:
        self.idle_for: timedelta | None = None

    @reads
    def lives_for(self, name: str) -> timedelta | None:
        return self.idle_for


class Path:
    """The check, every quarter of an hour; `delivering` says whether Pub/Sub still brings what is published."""

    def __init__(self) -> None:
        self.documents, self.publisher, self.clock = MemoryDocuments(), FakePublisher(), FakeClock()
        self.subscriptions = FakeSubscriptions()
        self.delivering = True

    def check(self) -> list[str]:
        self.clock.advance(900)
        problems = check_push_path(
            self.documents,
            publisher=self.publisher,
            subscriptions=self.subscriptions,
            clock=self.clock,
            slot=self.clock.now(),
        )
        if self.delivering:
            self.clock.advance(1)
            hear_heartbeat(self.documents, clock=self.clock)
        return problems


def test_i06_a_path_that_works_is_quiet() -> None:
    path = Path()
    assert [path.check() for _ in range(4)] == [[], [], [], []]
    assert len(path.publisher.on(TOPIC)) == 4
    assert all(HEARTBEAT in message.attributes for message in path.publisher.on(TOPIC))


def test_i06_a_heartbeat_that_does_not_arrive_raises_the_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path()
    path.check()
    path.delivering = False
    path.check()
    assert path.check() == ["the last heartbeat did not arrive"]
    assert "push_path.broken" in capsys.readouterr().out

    path.delivering = True
    path.check()
    assert path.check() == []


@pytest.mark.parametrize(
    ("idle_for", "problem"),
    [
        (timedelta(days=31), "the subscription expires when it is idle"),
        (timedelta(0), "the subscription is gone"),
    ],
)
def test_i06_a_subscription_that_would_die_is_told_before_it_does(idle_for: timedelta, problem: str) -> None:
    path = Path()
    path.subscriptions.idle_for = idle_for
    assert path.check() == [problem]

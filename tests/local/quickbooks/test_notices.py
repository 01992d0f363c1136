"""Notices: what is told, in which format, and what can go wrong on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from local.google.clock import Clock
from local.quickbooks.bookkeeper import act
from local.quickbooks.books import Books
from local.quickbooks.errors import ControlError
from local.quickbooks.notices import Endpoint
from local.quickbooks.simulator import Simulator
from shared.domain.cash.accounting import RecordKind
from shared.providers.quickbooks.webhook import parse_delivery, verify_signature

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Listener:
    """Keeps what it was sent; refuses the next few."""

    def __init__(self) -> None:
        self.posts: list[tuple[bytes, dict[str, str]]] = []
        self.refusing = 0

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        self.posts.append((body, dict(headers)))
        self.refusing -= 1
        return self.refusing < 0

    @property
    def operations(self) -> list[list[tuple[str, str]]]:
        """Kind and verb of every event, by POST."""
        told = [json.loads(body) for body, _ in self.posts]
        return [[tuple(event["type"].split(".")[1:3]) for event in events] for events in told]


class Story:
    def __init__(self, style: Any = "cloudevents") -> None:
        self.listener = Listener()
        self.simulator = Simulator(clock=Clock(lambda: START), post=self.listener)
        self.books: Books = self.simulator.create_company({"realm_id": "77"})
        self.books.create("Customer", {"DisplayName": "Northwind Example"})
        self.simulator.tick()
        self.simulator.notices.endpoint = Endpoint("http://127.0.0.1:9/hook", "verifier", style)

    def mischief(self, **wish: Any) -> None:
        self.simulator.notices.mischief.change(wish)

    def refund(self) -> None:
        act(self.books, "refund", {"customer": "10", "amount": "5.00"})


@pytest.mark.parametrize("style", ["cloudevents", "legacy"])
def test_the_product_verifies_and_reads_both_formats(style: str) -> None:
    story = Story(style)
    story.refund()
    story.simulator.tick()
    ((body, headers),) = story.listener.posts
    verify_signature(body, headers, keys=["verifier"])
    (change,) = parse_delivery(body)
    assert (change.kind, change.company_id, change.changed_at) == (RecordKind.REFUND, "77", START)
    assert headers["intuit-signature"] == base64.b64encode(hmac.digest(b"verifier", body, hashlib.sha256)).decode()


def test_cloud_events_have_their_own_content_type() -> None:
    for style, kind in (("cloudevents", "application/cloudevents+json"), ("legacy", "application/json")):
        story = Story(style)
        story.refund()
        story.simulator.tick()
        assert story.listener.posts[0][1]["content-type"] == kind


def test_what_happens_together_comes_in_one_post() -> None:
    story = Story()
    story.refund()
    story.refund()
    story.simulator.tick()
    story.simulator.tick()
    assert story.listener.operations == [[("refundreceipt", "created"), ("refundreceipt", "created")]]


def test_a_post_that_was_not_accepted_comes_again_with_the_same_ids() -> None:
    story = Story()
    story.listener.refusing = 2
    story.refund()
    story.simulator.tick()
    assert len(story.listener.posts) == 1
    for pause in (20, 120, 900):
        story.simulator.advance(pause)
        story.simulator.tick()
    assert len(story.listener.posts) == 3
    assert len({json.loads(body)[0]["id"] for body, _ in story.listener.posts}) == 1


@pytest.mark.parametrize("pause", [1.0, Decimal("1.0")], ids=["as a test says it", "as the control API reads it"])
def test_a_listener_that_never_accepts_is_given_up(pause: float | Decimal) -> None:
    story = Story()
    story.mischief(retry_s=[pause], delay_s=pause)
    story.listener.refusing = 99
    story.refund()
    for _ in range(4):
        story.simulator.tick()
        story.simulator.advance(5)
    assert [one.state for one in story.simulator.notices.deliveries] == ["failed"]
    assert len(story.listener.posts) == 2


def test_doubled() -> None:
    story = Story()
    story.mischief(copies=2)
    story.refund()
    story.simulator.tick()
    first, second = (body for body, _ in story.listener.posts)
    assert first == second


def test_late() -> None:
    story = Story()
    story.mischief(delay_s=300)
    story.refund()
    story.simulator.tick()
    assert story.listener.posts == []
    story.simulator.advance(301)
    story.simulator.tick()
    assert len(story.listener.posts) == 1


def test_out_of_order() -> None:
    story = Story()
    story.mischief(reorder=True)
    story.refund()
    story.books.update("Customer", {"Id": "10", "SyncToken": "0", "sparse": True, "CompanyName": "Northwind"})
    story.simulator.tick()
    assert story.listener.operations == [[("customer", "updated")], [("refundreceipt", "created")]]


def test_lost() -> None:
    story = Story()
    story.mischief(lose=1)
    story.refund()
    story.simulator.tick()
    story.refund()
    story.simulator.tick()
    assert [one.state for one in story.simulator.notices.deliveries] == ["lost", "accepted"]
    assert len(story.listener.posts) == 1


def test_mischief_nobody_knows_is_refused() -> None:
    with pytest.raises(ControlError, match="copies"):
        Story().mischief(chaos=True)

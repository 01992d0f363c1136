"""The life of an envelope: whose turn it is, where it stands, and what Connect is told."""

from __future__ import annotations

import pytest

from local.docusign.envelopes import Document, Envelope, Envelopes, Recipient
from local.docusign.errors import ApiError
from tests.fakes import START


class Story:
    """Envelopes with an ear for events and mails."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.mailed: list[str] = []
        self.envelopes = Envelopes(lambda: START, self._notify, lambda _, one: self.mailed.append(one.name))

    def _notify(self, _: Envelope, event: str, recipient: Recipient | None) -> None:
        self.told.append(f"{event} {recipient.name}" if recipient else event)

    def send(self, *orders: int, send: bool = True) -> Envelope:
        """Signers A, B, ... with these routing orders."""
        people = [
            Recipient(str(n), f"guid-{n}", "", name, f"{name.lower()}@customer.example", order)
            for n, (name, order) in enumerate(zip("ABC", orders, strict=False), start=1)
        ]
        envelope = Envelope(
            "e1", "a1", "u1", "Subject", "", people, [Document("Contract", ())], [], None, "", START, START
        )
        self.envelopes.add(envelope, send=send)
        return envelope


def test_one_after_the_other_in_routing_order() -> None:
    story = Story()
    envelope = story.send(2, 1)
    a, b = envelope.recipients
    with pytest.raises(ApiError) as caught:
        story.envelopes.sign(envelope, a)
    assert caught.value.body["errorCode"] == "RECIPIENT_NOT_IN_SEQUENCE"
    story.envelopes.sign(envelope, b)
    story.envelopes.sign(envelope, a)
    assert story.told == [
        "envelope-sent",
        "recipient-sent B",
        "recipient-delivered B",
        "recipient-completed B",
        "recipient-sent A",
        "recipient-delivered A",
        "envelope-delivered",
        "recipient-completed A",
        "envelope-completed",
    ]
    assert story.mailed == ["B", "A"]


def test_the_same_order_signs_side_by_side_and_the_next_waits_for_both() -> None:
    story = Story()
    envelope = story.send(1, 1, 2)
    a, b, c = envelope.recipients
    story.envelopes.sign(envelope, b)
    assert (a.status, c.status) == ("sent", "created")
    story.envelopes.sign(envelope, a)
    assert c.status == "sent"
    assert envelope.status == "sent"


def test_opening_twice_is_told_once() -> None:
    story = Story()
    envelope = story.send(1)
    for _ in range(2):
        story.envelopes.view(envelope, envelope.recipients[0])
    assert story.told.count("recipient-delivered A") == 1
    assert envelope.status == "delivered"


def test_a_refusal_ends_the_envelope_for_everybody() -> None:
    story = Story()
    envelope = story.send(1, 2)
    a, b = envelope.recipients
    story.envelopes.decline(envelope, a, "No")
    assert (envelope.status, b.status) == ("declined", "created")
    assert story.told[-2:] == ["recipient-declined A", "envelope-declined"]
    for act in (story.envelopes.view, story.envelopes.sign, story.envelopes.bounce):
        with pytest.raises(ApiError):
            act(envelope, a)


def test_a_bounced_signer_can_still_sign() -> None:
    story = Story()
    envelope = story.send(1)
    story.envelopes.bounce(envelope, envelope.recipients[0])
    story.envelopes.sign(envelope, envelope.recipients[0])
    assert envelope.status == "completed"


def test_what_has_ended_is_neither_voided_resent_nor_corrected() -> None:
    story = Story()
    envelope = story.send(1)
    story.envelopes.void(envelope, "The price changed")
    refused = []
    for act in (
        lambda: story.envelopes.void(envelope, "Again"),
        lambda: story.envelopes.resend(envelope),
        lambda: story.envelopes.correct(envelope, envelope.recipients[0], name="B", email=""),
    ):
        with pytest.raises(ApiError) as caught:
            act()
        refused.append(caught.value.body["errorCode"])
    assert refused == ["ENVELOPE_CANNOT_VOID_INVALID_STATE", "ENVELOPE_INVALID_STATUS", "ENVELOPE_INVALID_STATUS"]


def test_a_draft_is_nobodys_turn() -> None:
    story = Story()
    envelope = story.send(1, send=False)
    assert (envelope.status, envelope.turn, story.told) == ("created", [], [])


def test_a_correction_before_their_turn_is_not_mailed() -> None:
    story = Story()
    envelope = story.send(1, 2)
    assert story.envelopes.correct(envelope, envelope.recipients[1], name="Bea", email="bea@customer.example")
    assert story.mailed == ["A"]
    story.envelopes.sign(envelope, envelope.recipients[0])
    assert story.mailed == ["A", "Bea"]
    assert not story.envelopes.correct(envelope, envelope.recipients[0], name="X", email="")

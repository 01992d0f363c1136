"""Synthetic mailboxes: conversations of given sizes with a contact, and mail from strangers among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from local.google.gmail.compose import MailFields, build
from local.google.gmail.seed import SeedMessage

CONTACT = "carl@customer.example"
STRANGER = "eve@stranger.example"
APART = timedelta(minutes=7)
TEXT = "Thank you for the offer. We looked at it together and have two questions about the second part.\n" * 8


@dataclass(frozen=True, slots=True)
class Shape:
    """A mailbox's shape. sizes: messages per conversation, in turns. strangers_every: every n-th conversation is with
    nobody we know (0: none). aside_every: every n-th conversation has one message from a stranger alone (0: none)."""

    name: str
    sizes: tuple[int, ...]
    strangers_every: int = 0
    aside_every: int = 0


SINGLES = Shape("single messages", (1,))
CONVERSATIONS = Shape("conversations of four", (4,))
PAIRS = Shape("pairs", (2,))
LONG = Shape("long conversations", (30, 60))
MIXED = Shape("a bit of everything", (1, 1, 2, 3, 5, 8), strangers_every=3, aside_every=4)


def messages(shape: Shape, count: int, *, owner: str, until: datetime) -> list[SeedMessage]:
    """`count` messages in the mailbox of `owner`, oldest first, the newest APART before `until`."""
    found = []
    at = until - APART * count
    for sent in _conversations(shape, count, owner):
        raw = build(sent.fields, sent_at=at, message_id=sent.fields.message_id, with_bcc=False)
        found.append(SeedMessage(raw, sent.labels, at, sent.thread))
        at += APART
    return found


@dataclass(frozen=True, slots=True)
class _Sent:
    fields: MailFields
    labels: tuple[str, ...]
    thread: str


def _conversations(shape: Shape, count: int, owner: str) -> Iterator[_Sent]:
    made = 0
    for number, size in enumerate(cycle(shape.sizes), start=1):
        strange = shape.strangers_every and number % shape.strangers_every == 0
        aside = shape.aside_every and number % shape.aside_every == 0 and not strange
        for position in range(size):
            if made == count:
                return
            made += 1
            partner = STRANGER if strange or (aside and position == 0) else CONTACT
            yield _message(owner, partner, thread=number, position=position)


def _message(owner: str, partner: str, *, thread: int, position: int) -> _Sent:
    """Message by message the partner writes and the owner answers."""
    first = f"<{thread}.0.{owner}>"
    answers = position % 2 == 1
    fields = MailFields(
        sender=owner if answers else partner,
        to=[partner if answers else owner],
        subject=f"{'Re: ' if position else ''}Offer {thread}",
        text=TEXT,
        message_id=f"<{thread}.{position}.{owner}>",
        in_reply_to=f"<{thread}.{position - 1}.{owner}>" if position else "",
        references=[first, *([f"<{thread}.{position - 1}.{owner}>"] if position > 1 else [])] if position else [],
    )
    return _Sent(fields, ("SENT",) if answers else ("INBOX",), f"{owner}-{thread}")

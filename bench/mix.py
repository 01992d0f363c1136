"""Gmail units of a whole backfill against the cheapest possible mix of calls, for the sample and synthetic mailboxes.

The cheapest mix keeps the product's rule that no body is fetched before its headers are decided, and knows beforehand
what the decisions will be: per conversation the lower of one threads.get and one messages.get a message, for headers
and again for the bodies of what is logged here first; the whole conversation's bodies only where nothing else is in it.
Drafts, spam, trash and chats cost it nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bench.mailboxes import CONTACT, CONVERSATIONS, LONG, MIXED, PAIRS, SINGLES, Shape, messages
from bench.operations import units_of
from bench.report import Aim, Figure, Report
from local.google.gmail.model import Gmail
from shared.domain.backfill import window_start
from shared.domain.ledger import SYSTEM_LABELS, SeenRow, State
from shared.domain.mailbox import mailbox_id
from shared.providers.google.prices import GMAIL_UNITS
from shared.records.seen import Seen
from shared.usecases.mail.backfill_mailbox import start_backfill
from shared.usecases.mail.open_mailbox import pin_cursor
from shared.usecases.mail.served import ServedMailbox
from tests.fake_mailbox import FakeMailbox
from tests.fakes import MemoryDocuments
from tests.local.sample.world import sample_world
from tests.mail_world import ANNA, mail_world

WITHIN_PERCENT = 5.0
MONTHS = 6
COUNT, QUICK_COUNT = 600, 100
SHAPES = (SINGLES, PAIRS, CONVERSATIONS, LONG, MIXED)

ONE = GMAIL_UNITS["gmail.users.messages.get"]
WHOLE = GMAIL_UNITS["gmail.users.threads.get"]
LISTING = GMAIL_UNITS["gmail.users.messages.list"]
LISTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Mix:
    """Units a backfill used, and the fewest that would have done."""

    used: int
    cheapest: int
    messages: int

    def __add__(self, other: Mix) -> Mix:
        return Mix(self.used + other.used, self.cheapest + other.cheapest, self.messages + other.messages)

    @property
    def above_percent(self) -> float:
        return 100.0 * (self.used - self.cheapest) / self.cheapest


def run(quick: bool) -> Report:
    """Counted in memory, where a call is a call: exact."""
    mixes = {"the sample's three mailboxes": _of_sample()}
    for shape in SHAPES:
        mixes[shape.name] = _of_shape(shape, QUICK_COUNT if quick else COUNT)
    figures = [
        Figure(
            f"units above the cheapest mix: {name}",
            mix.above_percent,
            "%",
            Aim(WITHIN_PERCENT),
            f"{mix.messages} messages, {mix.used} units, cheapest {mix.cheapest}",
        )
        for name, mix in mixes.items()
    ]
    return Report("mix", tuple(figures), ("Headers always come before bodies, in the cheapest mix too.",))


def _of_shape(shape: Shape, count: int) -> Mix:
    world = mail_world(contacts=(CONTACT,), connected=False)
    world.gmail.seed(ANNA, messages(shape, count, owner=ANNA, until=world.clock.now()))
    assert isinstance(world.documents, MemoryDocuments)
    assert isinstance(world.anna, FakeMailbox)
    return backfilled(world.served(), world.anna, world.gmail, world.documents, world.drain)


def _of_sample() -> Mix:
    world = sample_world()
    world.fill()
    world.import_contacts()
    total = Mix(0, 0, 0)
    for user in world.sample.users:  # one after the other, so that it is plain whose copy came first
        served = world.served(user.email)
        total += backfilled(served, world.boxes[user.email], world.gmail, world.documents, world.drain)
    return total


def backfilled(
    served: ServedMailbox, box: FakeMailbox, gmail: Gmail, documents: MemoryDocuments, drain: Callable[[], object]
) -> Mix:
    """Backfill one mailbox of an in-memory world, and compare."""
    here = set(documents.paths())
    pin_cursor(served)
    before = units_of(box)
    now = served.clock.now()
    start_backfill(served, after=window_start(now, MONTHS), before=now)
    drain()
    used = units_of(box) - before
    rows = {row.gmail_id: row for row in _rows(served, gmail, box.address)}
    if not rows or any(row.state is State.QUEUED for row in rows.values()):
        raise RuntimeError("the backfill is not complete, so its units say nothing")
    firsts = {id_ for id_, row in rows.items() if row.state is State.LOGGED and _path(served, row) not in here}
    return Mix(used, cheapest_units(gmail, box.address, rows.keys(), firsts), len(rows))


def cheapest_units(gmail: Gmail, address: str, listed: Collection[str], firsts: Collection[str]) -> int:
    """What the cheapest mix costs. listed: ids in the window. firsts: those whose bodies must be fetched."""
    total = LISTING * max(1, math.ceil(len(listed) / LISTED_AT_ONCE))
    mailbox = gmail.mailbox(address)
    threads: dict[str, list[str]] = {}
    for message in mailbox.messages.values():
        threads.setdefault(message.thread_id, []).append(message.id)
    for members in threads.values():
        wanted = [id_ for id_ in members if id_ in listed and not mailbox.messages[id_].labels & SYSTEM_LABELS]
        logged = [id_ for id_ in members if id_ in firsts]
        total += min(ONE * len(wanted), WHOLE)
        total += min(ONE * len(logged), WHOLE) if len(logged) == len(members) else ONE * len(logged)
    return total


def _rows(served: ServedMailbox, gmail: Gmail, address: str) -> list[SeenRow]:
    seen = Seen(served.store, mailbox_id(address))
    found = seen.get_all(list(gmail.mailbox(address).messages))
    return [row.value for row in found.values()]


def _path(served: ServedMailbox, row: SeenRow) -> str:
    base = f"tenants/{served.store.tenant}/messages"
    return f"{base}/{row.message_id}" if not row.own_record else ""

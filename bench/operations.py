"""Firestore reads and writes and Gmail units per message, counted over the in-memory store: exact, without noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.report import Aim, Figure, Report
from shared.domain.ledger import State
from shared.ports.mailbox import Mailbox
from shared.providers.google.prices import GMAIL_UNITS
from shared.usecases.mail.sync_mailbox import sync_mailbox
from tests.fake_mailbox import FakeMailbox
from tests.fakes import MemoryDocuments
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world

WRITES_LOGGED = 6
READS_LOGGED = 6
READS_A_PARTICIPANT = 1
WRITES_A_FURTHER_CONTACT = 2
WRITES_SECOND_HOLDER = 5
WRITES_LEFT_OUT = 2
WRITES_A_SYNC = 3

METHOD_OF_CALL: Mapping[str, str] = {
    "profile": "gmail.users.getProfile",
    "own_addresses": "gmail.users.settings.sendAs.list",
    "start_watch": "gmail.users.watch",
    "history": "gmail.users.history.list",
    "list_messages": "gmail.users.messages.list",
    "headers": "gmail.users.messages.get",
    "message": "gmail.users.messages.get",
    "thread_headers": "gmail.users.threads.get",
    "thread": "gmail.users.threads.get",
}
"""What the fake mailbox counts, in the vendor's words."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Documents read and written, and Gmail units."""

    reads: int
    writes: int
    units: int

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.reads - other.reads, self.writes - other.writes, self.units - other.units)

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.reads + other.reads, self.writes + other.writes, self.units + other.units)


ROW = Cost(reads=0, writes=1, units=0)
"""The ledger row that the sync writes for a message: part of the message's bill, not of the sync run's."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One message on its way: `sync` is the run that found it, without its row; `message` all that is its own."""

    sync: Cost
    message: Cost


def logged_first(*, contacts: int = 1, replies_to_known: bool = False) -> Bill:
    """A message from a contact to anna, the further contacts in Cc. replies_to_known: it answers one that is here."""
    people = [CARL, *(f"contact{number}@customer.example" for number in range(1, contacts))]
    world = mail_world(contacts=people)
    links: dict[str, Any] = {}
    if replies_to_known:
        root = world.arrives(subject="Offer")
        world.sync()
        links = {"in_reply_to": root, "references": [root]}
    return _billed(world, cc=people[1:], **links)


def trimmed_reply(*, further: bool = False) -> Bill:
    """It names only its parent, which is here and not the conversation's beginning. further: it is the second one that
    names this parent so."""
    world = mail_world()
    root = world.arrives(subject="Offer")
    world.sync()
    answer = world.sends(subject="Re: Offer", in_reply_to=root, references=[root])
    world.sync()
    if further:
        world.time.advance(60)
        world.arrives(subject="Re: Offer", in_reply_to=answer)
        world.sync()
    return _billed(world, in_reply_to=answer)


def reply_to_unknown() -> Bill:
    """It answers a message that is not here."""
    return _billed(mail_world(), in_reply_to="<nobody-has-it@customer.example>")


def _billed(world: MailWorld, **fields: Any) -> Bill:
    world.time.advance(60)
    world.arrives(subject="Offer", text="Here it is.", **fields)
    bill = bill_of(world, ANNA)
    expect(world, ANNA, State.LOGGED)
    return bill


def second_holder(*, contacts: int = 1) -> Bill:
    """ben's copy of a message that anna's mailbox brought."""
    people = [CARL, DORA][:contacts]
    world = mail_world(contacts=people)
    world.arrives(to=[ANNA, BEN], cc=people[1:], subject="To both")
    world.sync(ANNA)
    bill = bill_of(world, BEN)
    expect(world, BEN, State.LOGGED)
    return bill


def left_out() -> Bill:
    """A message from somebody no contact is."""
    world = mail_world()
    world.arrives(sender="eve@stranger.example", subject="Buy this")
    bill = bill_of(world, ANNA)
    expect(world, ANNA, State.LEFT_OUT)
    return bill


def system_label() -> Bill:
    """A message that arrived in spam: the history record says so, and nothing is read."""
    world = mail_world()
    world.arrives(subject="Is it spam?", labels=("SPAM",))
    bill = bill_of(world, ANNA)
    expect(world, ANNA, State.LEFT_OUT)
    return bill


def empty_sync() -> Cost:
    """A poll's reading of a history without news."""
    world = mail_world()
    return during(world, lambda: sync_mailbox(world.served(), wish=None))


def bill_of(world: MailWorld, address: str) -> Bill:
    """Sync the mailbox, to which one message came, and do what follows from it."""
    sync = during(world, lambda: sync_mailbox(world.served(address), wish=None))
    rest = during(world, lambda: world.drain())
    return Bill(sync=sync - ROW, message=rest + ROW)


def during(world: MailWorld, work: Callable[[], object]) -> Cost:
    before = so_far(world)
    work()
    return so_far(world) - before


def so_far(world: MailWorld) -> Cost:
    documents = world.documents
    assert isinstance(documents, MemoryDocuments)
    return Cost(documents.reads, documents.writes, sum(units_of(box) for box in (world.anna, world.ben)))


def units_of(mailbox: Mailbox) -> int:
    """What the calls so far would have cost."""
    assert isinstance(mailbox, FakeMailbox)
    return sum(GMAIL_UNITS[METHOD_OF_CALL[call]] * times for call, times in mailbox.calls.items())


def expect(world: MailWorld, address: str, state: State) -> None:
    """A benchmark of something that did not happen would look splendid."""
    newest = world.gmail.mailbox(address).newest_first(None)
    row = world.seen(address).get(next(iter(newest)).id)
    if row is None or row.value.state is not state:
        raise RuntimeError(f"the message should be {state}, and is {row.value.state if row else 'unknown'}")


def run(_quick: bool) -> Report:
    """Count everything once: counts do not vary."""
    one, two = logged_first(), logged_first(contacts=2)
    reply, trimmed = logged_first(replies_to_known=True), trimmed_reply()
    trimmed_again, unknown = trimmed_reply(further=True), reply_to_unknown()
    second, second_of_two = second_holder(), second_holder(contacts=2)
    out, spam = left_out(), system_label()
    participants = 2
    reads = Aim(READS_LOGGED + READS_A_PARTICIPANT * participants)
    further = two.message - one.message
    return Report(
        "operations",
        (
            Figure(
                "writes per logged message", one.message.writes, "writes", Aim(WRITES_LOGGED), "one matched contact"
            ),
            Figure("reads per logged message", one.message.reads, "reads", reads, f"{participants} participants"),
            Figure("units per logged message", one.message.units, "units", None, "headers, then the body"),
            Figure("reads per reply in a known thread", reply.message.reads, "reads", reads),
            Figure("reads per reply with trimmed references", trimmed.message.reads, "reads", reads),
            Figure("writes per reply with trimmed references", trimmed.message.writes, "writes", Aim(WRITES_LOGGED)),
            Figure("reads per further reply of that kind", trimmed_again.message.reads, "reads", reads),
            Figure("writes per further reply of that kind", trimmed_again.message.writes, "writes", Aim(WRITES_LOGGED)),
            Figure("reads per reply to what is not here", unknown.message.reads, "reads", reads),
            Figure("writes per reply to what is not here", unknown.message.writes, "writes", Aim(WRITES_LOGGED)),
            Figure("writes per further contact", further.writes, "writes", Aim(WRITES_A_FURTHER_CONTACT)),
            Figure("reads per further contact", further.reads, "reads", Aim(READS_A_PARTICIPANT)),
            Figure("writes per second holder", second.message.writes, "writes", Aim(WRITES_SECOND_HOLDER)),
            Figure("reads per second holder", second.message.reads, "reads"),
            Figure("units per second holder", second.message.units, "units", None, "headers alone"),
            Figure("writes per second holder, two contacts", second_of_two.message.writes, "writes"),
            Figure("writes per left-out message", out.message.writes, "writes", Aim(WRITES_LEFT_OUT)),
            Figure("reads per left-out message", out.message.reads, "reads"),
            Figure("units per left-out message", out.message.units, "units", None, "headers alone"),
            Figure("writes per message in spam", spam.message.writes, "writes"),
            Figure("units per message in spam", spam.message.units, "units"),
            Figure("writes per sync run beside", one.sync.writes, "writes", Aim(WRITES_A_SYNC), "with one message"),
            Figure("reads per sync run", one.sync.reads, "reads"),
            Figure("writes per sync run without news", empty_sync().writes, "writes", Aim(WRITES_A_SYNC)),
        ),
        ("Counted over the in-memory store, which bills as Firestore does.",),
    )

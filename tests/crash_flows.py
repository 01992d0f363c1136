"""The ways of mail and contacts through the product, for the crash harness.

Each flow names the function folders it goes through. What a queue, the scheduler's poll or the sweep would do later is
part of every run, so a flow ends when nothing is left to do; the end is compared as people and pages see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.domain.mailbox import Status, mailbox_id
from shared.domain.people import Contact
from shared.domain.quarantine import Parked
from shared.errors import InputError
from shared.ports.documents import Documents, Query
from shared.ports.messages import Publisher
from shared.records.connections import Connections
from shared.records.mailboxes import MailStreams
from shared.records.people import Contacts
from shared.usecases.access_token import access_token
from shared.usecases.check_push_path import PATH, check_push_path, hear_heartbeat
from shared.usecases.import_contacts import import_contacts
from shared.usecases.mail.audit_mailboxes import audit_mailboxes
from shared.usecases.mail.erase_hidden import erase_hidden
from shared.usecases.promises import sweep_outbox
from shared.usecases.quarantine import park
from shared.usecases.renew_watches import renew_watches
from tests.crash import Flow
from tests.fakes import START, FakeClock, FakePublisher, MemoryDocuments
from tests.mail_world import ANNA, BEN, CARL, DORA, EVERY_SCOPE, MailWorld, mail_world

LEASE_IS_OVER_S = 100
TASKS_ARE_OVERDUE_S = 360


@dataclass(frozen=True)
class FunctionFlow:
    """A flow and the folders of functions/ it goes through. least: side effects it is known to have, so that one which
    stops doing its work is noticed."""

    functions: frozenset[str]
    flow: Flow[Any]
    least: int = 1


def flow(name: str, *functions: str, build: Callable[[], MailWorld], run: Callable[[MailWorld], None]) -> FunctionFlow:
    """run: deliver the input. Draining the queues, and what poll and sweep bring back, is added here."""

    def whole(world: MailWorld) -> None:
        run(world)
        finish(world)

    return FunctionFlow(frozenset(functions), Flow(name, build, whole, end_state, lease_ends))


def lease_ends(world: MailWorld) -> None:
    world.time.advance(LEASE_IS_OVER_S)


def finish(world: MailWorld) -> None:
    """Until nothing is queued and nothing is overdue."""
    world.drain()
    world.time.advance(TASKS_ARE_OVERDUE_S)
    world.poll_job()
    sweep_outbox(world.documents, tasks=world.tasks, clock=world.clock)
    world.drain()


# -------------------------------------------------------------------------------------------------- how it must end


def end_state(world: MailWorld) -> dict[str, Any]:
    """What people and pages see, without the moments and revisions at which it came to be."""
    contacts = sorted(document.id for document in world.store.find(Query("contacts")))
    boxes = [address for address in (ANNA, BEN) if world.store.get(f"mailboxes/{mailbox_id(address)}")]
    return {
        "duplicates": sorted(document.id for document in world.store.find(Query("duplicates"))),
        "timelines": {contact_id: world.timeline(contact_id) for contact_id in contacts},
        "own records": {user_id: world.own_record(user_id) for user_id in ("u-anna", "u-ben")},
        "contacts": {contact_id: _contact(world, contact_id) for contact_id in contacts},
        "mailboxes": {address: _mailbox(world, address) for address in boxes},
        "connections": {found.user_id: (found.status, found.account) for found in Connections(world.store).all()},
        "messages": {found.id: _message(found.fields) for found in world.store.find(Query("messages"))},
        "parked": sorted((found.kind, found.key, found.reason) for found in world.parked()),
        "promised": [found.id for found in world.store.find(Query("outbox"))],
        "addresses": {found.id: found.fields for found in world.store.find(Query("addresses"))},
        "blobs": world.bucket.keys(),
        "routes": world.routes.targets("gmail", ANNA),
        "grants": world.google.granted(ANNA),
        "queued": [task.function for task in world.queue.pending()],
    }


def _contact(world: MailWorld, contact_id: str) -> object:
    stored = Contacts(world.store).get(contact_id)
    return stored.contact, stored.figures


def _message(fields: Mapping[str, Any]) -> dict[str, Any]:
    lasting = {name: value for name, value in fields.items() if name not in ("expires_at", "hidden_at")}
    return {**lasting, "hidden": fields["hidden_at"] is not None}


def _mailbox(world: MailWorld, address: str) -> dict[str, Any]:
    streams = MailStreams(world.store, mailbox_id(address))
    stream, run, watch = streams.get(), streams.backfill(), streams.watch()
    rows = world.store.find(Query(f"mailboxes/{mailbox_id(address)}/seen"))
    record = world.mailbox(address)
    return {
        "status": record.status,
        "own": record.own,
        "unsearched": record.unsearched,
        "cursor": stream and (stream.value.cursor, stream.value.gap, stream.value.reading, stream.value.lease.owner),
        "rows": {row.id: tuple(row.fields[name] for name in ("state", "rule", "message_id", "day")) for row in rows},
        "run": run and (run.value.phase, run.value.decided, run.value.listed),
        "plan": [kept.id for kept in world.store.find(Query(f"mailboxes/{mailbox_id(address)}/backfill"))],
        "watched": watch is not None,
    }


# ------------------------------------------------------------------------------------------------------ mail comes in


def pushed() -> MailWorld:
    """Two of a thread and a newsletter have arrived; nobody has heard of them."""
    world = mail_world()
    first = world.arrives(subject="First", text="long " * 20_000)
    world.arrives(subject="Re: First", in_reply_to=first, references=[first])
    world.arrives(headers=[("List-Unsubscribe", "<https://list.example/u>")])
    return world


def hear(world: MailWorld) -> None:
    for notice in [found for found in world.pushed_again() if found.address == ANNA]:
        world.hears(notice)


def second_holder() -> MailWorld:
    world = mail_world()
    world.arrives(to=[ANNA, BEN], subject="Both")
    world.sync(ANNA)
    return world


def two_conversations() -> MailWorld:
    world = mail_world(contacts=(CARL, DORA))
    world.arrives(subject="Old", message_id="old@x")
    world.time.advance(60)
    world.arrives(sender=DORA, subject="Re: Mid", message_id="c@x", in_reply_to="mid@x", references=["mid@x"])
    world.sync()
    world.time.advance(60)
    world.arrives(subject="Mid", message_id="mid@x", in_reply_to="old@x", references=["old@x"])
    return world


def thrown_away() -> MailWorld:
    """One mail went to trash, a colleague's copy of another was deleted, a third came back from spam."""
    world = mail_world()
    mine, both = world.arrives(subject="Mine"), world.arrives(to=[ANNA, BEN], subject="Both")
    spam = world.arrives(subject="No spam", labels=("SPAM",))
    world.sync(ANNA)
    world.sync(BEN)
    world.trashes(mine)
    world.deletes(both)
    world.restores(spam)
    return world


def history_lost() -> MailWorld:
    world = mail_world(page=2)
    gone = world.arrives(subject="Gone")
    world.sync()
    world.time.advance(60)
    for number in range(3):
        world.arrives(subject=f"Unheard {number}")
    world.deletes(gone)
    world.history_expires()
    return world


def poisoned() -> MailWorld:
    world = mail_world()
    bad = world.arrives(subject="Broken")
    world.arrives(subject="Fine")
    world.box(ANNA).headless.add(world.gmail_id(bad))
    return world


def parked_and_mended() -> MailWorld:
    world = poisoned()
    world.sync()
    world.box(ANNA).headless.clear()
    return world


def replay_all(world: MailWorld) -> None:
    for parked in world.parked():
        world.replays(parked)


def read_history(world: MailWorld) -> None:
    world.sync_alone(ANNA)


def read_bens_history(world: MailWorld) -> None:
    world.sync_alone(BEN)


# -------------------------------------------------------------------------------------------- connections and the past


def with_a_past() -> MailWorld:
    """Users, and mail of the last weeks: a thread of three, one alone, one of a stranger, one that cannot be read."""
    world = mail_world(mailboxes=False, page=4)
    first = world.arrives(subject="T", message_id="1@x", at=START - timedelta(days=9))
    for number in (2, 3):
        at = START - timedelta(days=9 - number)
        world.arrives(subject="Re: T", message_id=f"{number}@x", in_reply_to=first, references=[first], at=at)
    world.arrives(subject="Alone", to=[ANNA, BEN], at=START - timedelta(days=20))
    world.arrives(sender="eve@stranger.example", at=START - timedelta(days=21))
    return world


def connect(world: MailWorld) -> None:
    """The person's browser: it comes back once for every code, and starts again where it is told to."""
    if world.google.granted(ANNA) and Connections(world.store).all():
        return
    try:
        state, binding = world.starts()
        world.returns(state, binding, world.google.agree(ANNA, EVERY_SCOPE))
    except InputError:
        return


def connected() -> MailWorld:
    world = with_a_past()
    world.connects()
    world.drain()
    return world


def backfilling() -> MailWorld:
    """Ben's mailbox is read; Anna's holds a copy of his mail, and one message nobody can read."""
    world = mail_world(contacts=(CARL,), page=3)
    first = world.arrives(subject="T", message_id="1@x", at=START - timedelta(days=9))
    for number in (2, 3):
        world.arrives(subject="Re: T", in_reply_to=first, references=[first], at=START - timedelta(days=9 - number))
    world.arrives(subject="Alone", to=[ANNA, BEN], at=START - timedelta(days=20))
    world.sync(BEN)
    return world


def backfill(world: MailWorld) -> None:
    if world.streams().backfill() is None:
        world.backfill()


def resume(world: MailWorld) -> None:
    world.controls(Status.CONNECTED, drain=False)


def paused() -> MailWorld:
    world = connected()
    world.time.advance(3600)
    world.controls(Status.PAUSED)
    world.arrives(subject="While paused")
    world.time.advance(60)
    return world


def disconnect(world: MailWorld) -> None:
    world.controls(Status.DISCONNECTED, drain=False)


def token_ended() -> MailWorld:
    world = connected()
    world.time.advance(3700)
    return world


def refresh(world: MailWorld) -> None:
    [connection] = Connections(world.store).all()
    access_token(world.credit(), connection.connection_id)


def new_alias() -> MailWorld:
    world = mail_world()
    world.organization(leave_out_unknown_senders=False)
    world.arrives(to="sales@acme-mail.example", bcc=[ANNA], subject="To the alias")
    world.sync()
    world.gains_alias("sales@acme-mail.example")
    world.time.advance(2 * 86_400)
    return world


def renew(world: MailWorld) -> None:
    renew_watches(world.documents, tasks=world.tasks, clock=world.clock, slot=world.clock.now())


# --------------------------------------------------------------------------------------------- jobs, contacts, the rest


def half_told() -> MailWorld:
    """A ledger that misses a message and believes in one that is gone, as after a bug or a restored backup."""
    world = mail_world()
    world.arrives(subject="Stays")
    gone = world.arrives(subject="Gone")
    world.sync()
    world.time.advance(86_400)
    world.arrives(subject="Missed")
    world.deletes(gone)
    world.skips_history()
    world.time.advance(86_400 + 3600)
    return world


def audit(world: MailWorld) -> None:
    audit_mailboxes(world.documents, tasks=world.tasks, slot=START + timedelta(days=2, hours=1))


def to_be_erased() -> MailWorld:
    world = mail_world()
    first = world.arrives(subject="Goes", text="long " * 20_000)
    world.arrives(subject="Stays", in_reply_to=first, references=[first])
    world.sync()
    world.trashes(first)
    world.sync()
    world.time.advance(31 * 86_400)
    return world


def erase(world: MailWorld) -> None:
    erase_hidden(world.documents, blobs=lambda _: world.blobs, clock=world.clock, jitter=world.jitter)


def strangers_mail() -> MailWorld:
    world = mail_world(contacts=(CARL,))
    world.arrives(sender=DORA, subject="Left out")
    world.arrives(cc=[DORA], subject="Stored")
    world.sync()
    return world


def save_dora(world: MailWorld) -> None:
    world.saves(Contact("c-dora", "Dora", "Customer", emails=(DORA,)))


def move_carls_address(world: MailWorld) -> None:
    world.saves(Contact("c-carl", "Carl", "Customer", emails=("carl@elsewhere.example",)))


def twins() -> MailWorld:
    world = strangers_mail()
    world.saves(Contact("c-dora", "Dora", "Customer", emails=(DORA, CARL)))
    world.drain()
    return world


def keep_on_carl(world: MailWorld) -> None:
    for told in world.duplicates():
        world.settles(told.notice.notice_id, "move", keeper="c-carl")


def import_two(world: MailWorld) -> None:
    rows = [
        {"Name": "Dora Customer", "Email": DORA, "Company": "Customer"},
        {"Name": "Carl Customer", "Email": CARL, "Company": "Customer"},
    ]
    import_contacts(
        world.store,
        ("Name", "Email", "Company"),
        rows,
        actor="u-anna",
        read_phone=lambda _: None,
        is_public_suffix=lambda _: False,
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
    )


def give_up_on_a_push(world: MailWorld) -> None:
    ids = {"subscription": "gmail-push", "message": "7"}
    park(world.store, Parked("dead_letter", "7", "Pub/Sub gave up", START, ids), world.jitter)


@dataclass
class PushPath:
    """The ports of the heartbeat, and a subscription that hands on what is published."""

    documents: Documents = field(default_factory=MemoryDocuments)
    publisher: Publisher = field(default_factory=FakePublisher)
    clock: FakeClock = field(default_factory=FakeClock)

    def lives_for(self, _name: str) -> None:
        return None


def beat(world: PushPath) -> None:
    check_push_path(world.documents, publisher=world.publisher, subscriptions=world, clock=world.clock, slot=START)
    hear_heartbeat(world.documents, clock=world.clock)


def path_is_proven(world: PushPath) -> bool:
    known = world.documents.get(PATH)
    return known is not None and known.fields["heard_at"] >= known.fields["sent_at"]


HEARTBEAT_FLOW: Flow[PushPath] = Flow("a heartbeat proves the path", PushPath, beat, path_is_proven)

FLOWS: tuple[FunctionFlow, ...] = (
    flow("a push brings mail", "gmail_push", "mailbox_sync", "message_ingest", "mailbox_poll", build=pushed, run=hear),
    flow("a colleague's copy", "mailbox_sync", "message_ingest", build=second_holder, run=read_bens_history),
    flow("two conversations join", "thread_join", "outbox_sweep", build=two_conversations, run=read_history),
    flow("mail leaves and comes back", "contact_refresh", build=thrown_away, run=read_history),
    flow("the history expired", "mailbox_sync", "mailbox_audit", build=history_lost, run=read_history),
    flow("poison is parked", "message_ingest", build=poisoned, run=read_history),
    flow("what was parked is replayed", "quarantine_replay", build=parked_and_mended, run=replay_all),
    flow("a person connects", "oauth_start", "oauth_callback", "mailbox_open", build=with_a_past, run=connect),
    flow("the past is read", "mailbox_backfill", "backfill_ingest", build=backfilling, run=backfill),
    flow("a paused mailbox resumes", "connection_control", "mailbox_open", build=paused, run=resume),
    flow("a mailbox is disconnected", "connection_control", "mailbox_close", build=connected, run=disconnect),
    flow("a token is refreshed", "mailbox_sync", build=token_ended, run=refresh),
    flow("watches are renewed", "watch_renewal", "watch_renew", build=new_alias, run=renew),
    flow("the night's audit", "receipt_audit", "mailbox_audit", build=half_told, run=audit),
    flow("hidden mail is erased", "hidden_erase", build=to_be_erased, run=erase),
    flow("a contact is saved", "contact_reattach", "mailbox_catch_up", build=strangers_mail, run=save_dora),
    flow(
        "a contact's address goes", "contact_reattach", "contact_refresh", build=strangers_mail, run=move_carls_address
    ),
    flow("an address is kept on one contact", "duplicates_settle", "contact_reattach", build=twins, run=keep_on_carl),
    flow("contacts are imported", "contacts_import", build=strangers_mail, run=import_two),
    FunctionFlow(frozenset({"push_path_check", "gmail_push"}), HEARTBEAT_FLOW),
    flow("Pub/Sub gives up", "dead_letter_push", build=mail_world, run=give_up_on_a_push),
)

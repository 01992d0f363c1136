"""Who may read what: I27 to I30."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import pytest

from shared.domain.ledger import Rule, State
from shared.domain.mailbox import Status, mailbox_id
from shared.domain.people import Contact, User
from shared.domain.settings import NeverLog, Share
from shared.errors import NotFoundError, StaleWriteError
from shared.ports.documents import Create, Delete, Merge, Query, Update, Write
from shared.records import (
    addresses,
    audit,
    connections,
    duplicates,
    followups,
    mail,
    mailboxes,
    organizations,
    people,
    seen,
)
from shared.records.audit import Audit
from shared.records.mail import Messages
from shared.records.people import Contacts, Users
from shared.records.store import TenantStore
from shared.usecases.read_timeline import open_message, read_contact_timeline
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, DORA, KEY, MailWorld, found_organization, mail_world

OTHER = "rival"


def busy_world() -> MailWorld:
    """An organization in which everything has happened once."""
    world = mail_world(mailboxes=False, contacts=(CARL, DORA))
    world.organization(never_log=NeverLog(addresses=frozenset({"doctor@clinic.example"})))
    world.arrives(subject="aardvark past", at=START - timedelta(days=3), text="badger past")
    world.connects(ANNA)
    world.connects(BEN)
    world.options(BEN, own_record=True)
    world.drain()
    world.arrives(to=[ANNA, BEN], subject="aardvark", text="badger " * 20_000)
    sent = world.sends(ANNA, bcc=[BEN], subject="aardvark reply", text="badger reply")
    world.arrives(sender="eve@stranger.example", subject="aardvark offer", text="badger offer")
    broken = world.arrives(subject="aardvark broken")
    world.box(ANNA).unreadable.add(world.gmail_id(broken))
    world.sync(ANNA)
    world.sync(BEN)
    world.trashes(sent)
    world.sync(ANNA)
    world.why(broken)
    world.saves(Contact("c-twin", "Carla", "Customer", emails=(CARL,)))
    world.drain()
    world.time.advance(3700)
    world.controls(Status.PAUSED, BEN, actor="u-ben")
    found_organization(world, OTHER)
    return world


# --------------------------------------------------------------------------------------------------- I27: tenants


def test_i27_no_document_of_one_tenant_is_reached_from_another() -> None:
    world = busy_world()
    inside = [
        path.partition("/")[2].partition("/")[2] for path in world.memory.dump() if path.startswith("tenants/acme/")
    ]
    collections = {path.rsplit("/", 1)[0] for path in inside}
    assert {"messages", "threads", "quarantine", "audit", "addresses", "connections"} <= collections
    shared_shape = {"settings/organization", "users/u-anna", "users/u-ben", "users/u-ada"}
    rival = TenantStore(world.documents, OTHER)
    for path in inside:
        if path not in shared_shape:
            assert rival.get(path) is None
    assert [found for found in rival.get_all(inside) if found] == rival.get_all(sorted(shared_shape, key=inside.index))
    for collection in collections - {"users", "settings"}:
        assert rival.find(Query(collection)) == []
        assert rival.count(Query(collection)) == 0


def test_i27_no_write_of_one_tenant_lands_in_another() -> None:
    world = busy_world()
    before = {path: fields for path, fields in world.memory.dump().items() if path.startswith("tenants/acme/")}
    rival = TenantStore(world.documents, OTHER)
    for path in before:
        own = path.removeprefix("tenants/acme/")
        for write in (Merge(own, {"stolen": True}), Update(own, {"stolen": True}), Delete(own)):
            rival.commit([write])
    after = {path: fields for path, fields in world.memory.dump().items() if path.startswith("tenants/acme/")}
    assert after == before


@pytest.mark.parametrize("tenant", ["", "acme/mailboxes", "../acme", "rival/../acme"])
def test_i27_a_tenant_is_one_segment(tenant: str) -> None:
    with pytest.raises(ValueError, match="segment"):
        TenantStore(mail_world().documents, tenant)


def test_i27_a_tenants_store_answers_no_query_across_tenants() -> None:
    with pytest.raises(ValueError, match="group"):
        TenantStore(mail_world().documents, OTHER).find(Query("messages", group=True))


REPOSITORIES: tuple[ModuleType, ...] = (
    addresses, audit, connections, duplicates, followups, mail, mailboxes, organizations, people, seen
)  # fmt: skip
SAFE = {"path", "domain_path"}


def reading_methods() -> set[tuple[str, str]]:
    """(class, method) of every repository method that reads."""
    found = set()
    for module in REPOSITORIES:
        for name, shape in inspect.getmembers(module, inspect.isclass):
            if shape.__module__ != module.__name__ or "_store" not in shape.__init__.__code__.co_names:
                continue
            for method, function in inspect.getmembers(shape, inspect.isfunction):
                returns = str(inspect.signature(function).return_annotation)
                if method[0] != "_" and "Write" not in returns and method not in SAFE:
                    found.add((name, method))
    return found


def foreign_reads(world: MailWorld, rival: TenantStore) -> dict[tuple[str, str], Callable[[], Any]]:
    """Every reading method called with what names a document of the other tenant."""
    box = mailbox_id(ANNA)
    rows = {document.id: document for document in world.store.find(Query("messages"))}
    message = next(iter(rows))
    thread = rows[message].fields["thread_id"]
    key = rows[message].fields["participant_keys"][0]
    entry = world.timeline()[0].entry_id
    connection = world.mailbox().connection_id
    parked = world.parked()[0].parked_id
    row = world.store.find(Query(f"mailboxes/{box}/seen"))[0].id
    streams, ledger = mailboxes.MailStreams(rival, box), seen.Seen(rival, box)
    book, contacts = addresses.Addresses(rival, KEY), people.Contacts(rival)
    threads, timelines, messages = mail.Threads(rival), mail.Timelines(rival), mail.Messages(rival)
    pairs, notice = duplicates.Duplicates(rival), world.store.find(Query("duplicates"))[0].id
    today = date(2026, 3, 2)
    return {
        ("Addresses", "rows"): lambda: book.rows([CARL]),
        ("Addresses", "companies"): lambda: book.companies(["customer.example"]),
        ("Audit", "newest"): lambda: audit.Audit(rival).newest(10),
        ("Connections", "get"): lambda: connections.Connections(rival).get(connection),
        ("Connections", "find"): lambda: connections.Connections(rival).find(connection),
        ("Connections", "all"): lambda: connections.Connections(rival).all(),
        ("Connections", "credentials"): lambda: connections.Connections(rival).credentials(connection),
        ("ConsentStates", "find"): lambda: connections.ConsentStates(rival).find("x"),
        ("Outbox", "find"): lambda: followups.Outbox(rival).find("x"),
        ("Quarantine", "find"): lambda: followups.Quarantine(rival).find(parked),
        ("Quarantine", "get"): lambda: followups.Quarantine(rival).get(parked),
        ("Quarantine", "parked"): lambda: followups.Quarantine(rival).parked(10),
        ("Quarantine", "page"): lambda: followups.Quarantine(rival).page(after=None, limit=10),
        ("Messages", "find"): lambda: messages.find(message),
        ("Messages", "get"): lambda: messages.get(message),
        ("Messages", "get_all"): lambda: messages.get_all([message]),
        ("Messages", "of_participant"): lambda: messages.of_participant(key, after=None, limit=10),
        ("Messages", "newest_of_contact"): lambda: messages.newest_of_contact("c-carl", direction=None),
        ("Messages", "count_of_contact"): lambda: messages.count_of_contact("c-carl"),
        ("Threads", "find"): lambda: threads.find(thread),
        ("Threads", "find_all"): lambda: threads.find_all([thread]),
        ("Timelines", "find"): lambda: timelines.find("contacts/c-carl", entry),
        ("Timelines", "page"): lambda: timelines.page("contacts/c-carl", before=None, limit=10),
        ("Mailboxes", "get"): lambda: mailboxes.Mailboxes(rival).get(box),
        ("Mailboxes", "find"): lambda: mailboxes.Mailboxes(rival).find(box),
        ("Mailboxes", "all"): lambda: mailboxes.Mailboxes(rival).all(),
        ("Mailboxes", "of_connection"): lambda: mailboxes.Mailboxes(rival).of_connection(connection),
        ("MailStreams", "get"): streams.get,
        ("MailStreams", "with_mailbox"): streams.with_mailbox,
        ("MailStreams", "watch"): streams.watch,
        ("MailStreams", "wanted"): streams.wanted,
        ("MailStreams", "backfill"): streams.backfill,
        ("MailStreams", "chunk"): lambda: streams.chunk("run", "p", 0),
        ("Organizations", "get"): lambda: organizations.Organizations(rival).get().name == "Acme",
        ("Organizations", "stored"): lambda: organizations.Organizations(rival).stored().value.name == "Acme",
        ("Duplicates", "get"): lambda: pairs.get(notice),
        ("Duplicates", "known"): lambda: pairs.known([notice]),
        ("Duplicates", "open"): lambda: pairs.open(after=None, limit=10),
        ("Duplicates", "of_contact"): lambda: pairs.of_contact("c-carl"),
        ("Users", "get"): lambda: people.Users(rival).get("u-cleo"),
        ("Users", "find"): lambda: people.Users(rival).find("u-cleo"),
        ("Users", "all"): lambda: [user for user in people.Users(rival).all() if user.user_id == "u-cleo"],
        ("Contacts", "get"): lambda: contacts.get("c-carl"),
        ("Contacts", "get_all"): lambda: contacts.get_all(["c-carl"]),
        ("Contacts", "count"): contacts.count,
        ("Contacts", "page"): lambda: contacts.page(after=None, limit=10),
        ("Companies", "get"): lambda: people.Companies(rival).get("y-1"),
        ("Companies", "stored"): lambda: people.Companies(rival).stored("y-1"),
        ("Companies", "find"): lambda: people.Companies(rival).find("y-1"),
        ("Seen", "get"): lambda: ledger.get(row),
        ("Seen", "get_all"): lambda: ledger.get_all([row]),
        ("Seen", "queued_before"): lambda: ledger.queued_before(START + timedelta(days=99), 10),
        ("Seen", "oldest_queued"): ledger.oldest_queued,
        ("Seen", "private_queued"): ledger.private_queued,
        ("Seen", "by_rule"): lambda: ledger.by_rule(Rule.NO_MATCH, 10),
        ("Seen", "by_message_key"): lambda: ledger.by_message_key("x"),
        ("Seen", "of_message"): lambda: ledger.of_message(message),
        ("Seen", "of_days"): lambda: ledger.of_days(today - timedelta(days=9), today, after=None, limit=10),
        ("Seen", "count"): lambda: ledger.count(state=State.LOGGED),
    }


def test_i27_every_repository_method_is_blind_across_tenants() -> None:
    world = busy_world()
    world.store.commit([people.Users(world.store).creating(User("u-cleo", "Cleo", "cleo@acme.example"))])
    reads = foreign_reads(world, TenantStore(world.documents, OTHER))
    assert set(reads) == reading_methods()
    for name, read in reads.items():
        try:
            found = read()
        except NotFoundError:
            continue
        assert not found, name


def test_i27_the_same_reads_find_something_at_home() -> None:
    """Or the test above would prove nothing."""
    world = busy_world()
    world.store.commit([people.Users(world.store).creating(User("u-cleo", "Cleo", "cleo@acme.example"))])
    nothing_there = {
        ("Addresses", "companies"), ("ConsentStates", "find"), ("Outbox", "find"), ("Companies", "get"),
        ("Companies", "find"), ("Companies", "stored"), ("MailStreams", "wanted"), ("MailStreams", "chunk"),
        ("Seen", "queued_before"), ("Seen", "oldest_queued"), ("Seen", "private_queued"), ("Seen", "by_message_key"),
    }  # fmt: skip
    for name, read in foreign_reads(world, world.store).items():
        if name not in nothing_there:
            assert read(), name


# --------------------------------------------------------------------------------------------- I28: what a log says


def test_i28_a_full_run_logs_no_address_subject_body_or_token(capsys: pytest.CaptureFixture[str]) -> None:
    world = busy_world()
    world.google.end_grants(ANNA)
    world.passes(timedelta(minutes=20))
    logged = capsys.readouterr().out
    assert logged.count("\n") > 20
    assert "message.logged" in logged
    for secret in (ANNA, BEN, CARL, "stranger.example", "customer.example", "aardvark", "badger", *world.google.minted):
        assert secret not in logged
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", logged)


def test_i28_errors_and_quarantine_carry_ids_alone() -> None:
    world = busy_world()
    [parked] = world.parked()
    assert "@" not in parked.reason + repr(parked.ids)
    assert "aardvark" not in repr(parked)


# ------------------------------------------------------------------------------------------- I29, I30: the hidden one


def outside_bens_own(world: MailWorld) -> str:
    own = (f"tenants/acme/mailboxes/{mailbox_id(BEN)}", "tenants/acme/users/u-ben")
    return repr({path: fields for path, fields in world.memory.dump().items() if not path.startswith(own)})


@pytest.mark.parametrize("own_record", [True, False])
@pytest.mark.parametrize("order", [(ANNA, BEN), (BEN, ANNA)])
def test_i29_a_bcc_holder_stands_nowhere_that_others_read(own_record: bool, order: tuple[str, str]) -> None:
    world = mail_world()
    world.options(BEN, own_record=own_record)
    without = mail_world()
    for each in (world, without):
        each.sends(ANNA, bcc=[BEN] if each is world else [], subject="Between us", message_id="bcc@x")
    for address in order:
        world.sync(address)
    without.sync(ANNA)
    message, expected = world.message("bcc@x"), without.message("bcc@x")
    assert message is not None
    assert expected is not None
    assert message.readers == expected.readers == ("u-anna:full",)
    assert (message.to, message.cc, message.direction) == (expected.to, expected.cc, expected.direction)
    assert world.timeline() == without.timeline()
    assert Contacts(world.store).get("c-carl").figures == Contacts(without.store).get("c-carl").figures
    assert Audit(world.store).newest(100) == []
    assert "u-ben:full" not in outside_bens_own(world)
    assert [kept.subject for entry in world.own_record("u-ben") for kept in entry.messages.values()] == (
        ["Between us"] if own_record else []
    )


def test_i29_the_own_record_is_opened_by_its_user_alone() -> None:
    world = mail_world()
    world.options(BEN, own_record=True, share=Share.FULL)
    world.arrives(to="list@elsewhere.example", bcc=[BEN], subject="Psst", text="hidden words", message_id="bcc@x")
    world.sync(BEN)
    row = Messages(world.store, "users/u-ben/")
    [message_id] = [document.id for document in world.store.find(Query("users/u-ben/messages"))]
    assert row.find(message_id) is not None
    users = Users(world.store)
    opened = open_message(world.store, message_id, users.get("u-ben").viewer, blobs=world.blobs)
    assert opened.text.strip() == "hidden words"
    for stranger in ("u-anna", "u-ada"):
        with pytest.raises(NotFoundError):
            open_message(world.store, message_id, users.get(stranger).viewer, blobs=world.blobs)


def test_i29_a_group_address_is_no_bcc_and_a_forwarding_stranger_is() -> None:
    world = mail_world()
    world.options(own_record=True)
    world.organization(group_addresses=frozenset({"info@acme.example"}))
    for to in ("info@acme.example", "someone@elsewhere.example"):
        raw = f"From: {CARL}\r\nTo: {to}\r\nSubject: to {to[:4]}\r\nMessage-ID: <{to}>\r\n\r\nx\r\n"
        world.gmail.deliver(ANNA, raw.encode())
    world.sync()
    assert world.subjects() == ["to info"]
    assert [kept.subject for entry in world.own_record() for kept in entry.messages.values()] == ["to some"]


def test_i30_an_address_on_two_contacts_posts_to_both_every_time() -> None:
    world = mail_world()
    world.contact(CARL, contact_id="c-twin")
    for number in range(3):
        world.arrives(subject=str(number))
    world.sends(subject="answer")
    world.sync()
    assert len(world.subjects("c-carl")) == 4
    assert sorted(world.subjects("c-carl")) == sorted(world.subjects("c-twin"))
    assert Contacts(world.store).get("c-carl").figures == Contacts(world.store).get("c-twin").figures


def test_i30_each_of_two_contacts_is_shown_to_those_who_may_see_it() -> None:
    world = mail_world(contacts=())
    world.contact(CARL, contact_id="c-annas", owner_id="u-anna")
    world.contact(CARL, contact_id="c-bens", owner_id="u-ben")
    world.arrives(to=[ANNA, BEN])
    world.sync(ANNA)
    assert (len(world.timeline("c-annas")), len(world.timeline("c-bens"))) == (1, 0)
    world.sync(BEN)
    assert (len(world.timeline("c-annas")), len(world.timeline("c-bens"))) == (1, 1)
    anna = Users(world.store).get("u-anna").viewer
    assert len(read_contact_timeline(world.store, "c-annas", anna).entries) == 1
    with pytest.raises(NotFoundError):
        read_contact_timeline(world.store, "c-bens", anna)


def test_i30_people_who_may_see_both_contacts_are_told_and_can_keep_the_address_on_one() -> None:
    world = mail_world()
    world.arrives(subject="whose?")
    world.sync()
    world.saves(Contact("c-twin", "Carla", "Customer", emails=(CARL, "carla@customer.example")))
    world.drain()
    assert world.subjects("c-carl") == world.subjects("c-twin") == ["whose?"]

    [told] = world.duplicates()
    assert (told.address, [shown.contact.contact_id for shown in told.contacts]) == (CARL, ["c-carl", "c-twin"])
    world.settles(told.notice.notice_id, "move", keeper="c-carl")
    world.drain()
    assert (world.subjects("c-carl"), world.subjects("c-twin")) == (["whose?"], [])
    assert world.duplicates() == []


def test_a_guarded_write_to_another_tenants_version_is_stale() -> None:
    world = busy_world()
    found = world.store.find(Query("messages"))[0]
    rival = TenantStore(world.documents, OTHER)
    write: Write = Update(found.path, {"subject": "stolen"}, found.version)
    with pytest.raises(StaleWriteError):
        rival.commit([write])
    rival.commit([Create(found.path, {"subject": "its own"})])
    assert world.store.get(found.path) == found

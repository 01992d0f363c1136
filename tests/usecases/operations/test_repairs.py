"""What an operator looks at and mends: receipts, quarantine, mailboxes, the address index."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.ledger import State
from shared.domain.mailbox import Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Company, Contact
from shared.domain.quarantine import Parked
from shared.errors import InputError, NotFoundError
from shared.ports.documents import Delete, Merge
from shared.records.addresses import Addresses
from shared.records.people import Companies
from shared.usecases.operations.read_receipts import MailboxReceipt, read_receipts
from shared.usecases.operations.rebuild_addresses import Rebuilt, rebuild_addresses
from shared.usecases.operations.replay_parked import Replayed, parked_entries, replay_parked
from shared.usecases.operations.resync_mailbox import resync_mailbox
from shared.usecases.quarantine import park
from tests.mail_world import ANNA, BEN, CARL, DORA, KEY, TENANT, MailWorld, found_organization, mail_world


def receipts(world: MailWorld, **named: str) -> list[MailboxReceipt]:
    return list(read_receipts(world.documents, world.clock, day=None, **named))


def test_a_mailbox_in_order_has_no_problem() -> None:
    world = mail_world()
    world.arrives()
    world.sync(ANNA)
    world.sync(BEN)
    assert [(found.mailbox.address, found.problems) for found in receipts(world)] == [(BEN, ()), (ANNA, ())]


def test_what_is_wrong_with_a_mailbox_is_said_in_words() -> None:
    world = mail_world()
    message = world.arrives()
    world.sync_alone(ANNA)
    world.time.advance(1200)
    assert world.row(message)
    (found,) = receipts(world, tenant=TENANT, mailbox_id=mailbox_id(ANNA))
    assert found.problems == ("1 unexplained", "covered only until 2026-03-02 09:01 UTC")
    world.becomes(Status.RECONNECT_NEEDED)
    (found,) = receipts(world, tenant=TENANT, mailbox_id=mailbox_id(ANNA))
    assert found.problems[-1] == "not read: reconnect_needed"


def test_receipts_of_all_organizations_come_one_after_the_other() -> None:
    world = mail_world()
    found_organization(world, "other")
    assert {found.tenant for found in receipts(world)} == {TENANT}
    assert receipts(world, tenant="other") == []
    with pytest.raises(NotFoundError):
        receipts(world, tenant=TENANT, mailbox_id="b-none")


# --------------------------------------------------------------------------------------------------------- quarantine


@pytest.fixture
def parked() -> MailWorld:
    """Three tasks and one forged push lie in quarantine."""
    world = mail_world()
    for number in range(3):
        payload = {"tenant": TENANT, "mailbox": mailbox_id(ANNA), "wish": None}
        entry = Parked("task", f"k-{number}", "broken", world.clock.now(), {}, "mailbox-sync", "mailbox_sync", payload)
        park(world.store, entry, world.jitter)
        world.time.advance(1)
    park(world.store, Parked("push", "k-9", "unreadable", world.clock.now(), {}), world.jitter)
    return world


def replay(world: MailWorld, limit: int = 100, kind: str | None = None) -> Replayed:
    return replay_parked(world.store, tasks=world.tasks, clock=world.clock, limit=limit, kind=kind)


def test_all_that_can_run_again_runs_again_and_the_rest_is_named(parked: MailWorld) -> None:
    result = replay(parked)
    assert result.replayed == 3
    assert len(result.stuck) == 1
    assert len(parked.queue.pending("mailbox-sync")) == 3
    assert replay(parked).replayed == 0


def test_a_replay_stops_at_its_limit_and_the_next_goes_on(parked: MailWorld) -> None:
    assert [replay(parked, limit=2).replayed for _ in range(3)] == [2, 1, 0]


def test_one_kind_alone_is_replayed(parked: MailWorld) -> None:
    assert replay(parked, kind="message").replayed == 0
    assert [entry.key for entry in parked_entries(parked.store, kind="push")] == ["k-9"]


def test_what_waits_is_read_page_by_page(parked: MailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.usecases.operations.replay_parked.PAGE", 2)
    assert [entry.key for entry in parked_entries(parked.store)] == ["k-0", "k-1", "k-2", "k-9"]


# ------------------------------------------------------------------------------------------------------------- resync


def test_a_mailbox_that_lost_mail_finds_it_again() -> None:
    world = mail_world()
    lost = [
        world.arrives(subject=f"Lost {number}", at=world.clock.now() - timedelta(days=days))
        for number, days in enumerate((0, 9, 40))
    ]
    world.skips_history()
    world.time.advance(60)
    world.sync()
    assert world.messages() == []
    result = resync_mailbox(world.store, mailbox_id(ANNA), since=None, tasks=world.tasks, clock=world.clock)
    assert result.pieces > 20
    world.drain()
    rows = [world.row(message) for message in lost]
    assert [row and row.state for row in rows] == [State.LOGGED] * 3


def test_asked_twice_a_mailbox_is_read_once_and_a_dry_run_reads_nothing() -> None:
    world = mail_world()
    since = world.clock.now() - timedelta(days=20)
    for dry_run in (True, False, False):
        resync_mailbox(
            world.store, mailbox_id(ANNA), since=since, tasks=world.tasks, clock=world.clock, dry_run=dry_run
        )
    assert len(world.queue.pending("mailbox-sync")) == 1
    assert len(world.queue.pending("mailbox-audit")) == 3


def test_a_mailbox_that_is_not_connected_is_not_read() -> None:
    world = mail_world()
    world.becomes(Status.PAUSED)
    with pytest.raises(InputError, match="paused"):
        resync_mailbox(world.store, mailbox_id(ANNA), since=None, tasks=world.tasks, clock=world.clock)


# ---------------------------------------------------------------------------------------------------------- addresses


def rebuild(world: MailWorld, *, dry_run: bool = False) -> Rebuilt:
    return rebuild_addresses(world.documents, world.store, jitter=world.jitter, dry_run=dry_run)


def index(world: MailWorld) -> dict[str, object]:
    collections = ("/addresses/", "/domains/")
    rows = {path: fields for path, fields in world.memory.dump().items() if any(name in path for name in collections)}
    return {path: fields for path, fields in rows.items() if fields.get("known") or fields.get("companies")}


@pytest.fixture
def indexed() -> MailWorld:
    world = mail_world(contacts=(CARL, DORA))
    world.saves(Contact("c-two", "Two", "Addresses", emails=("two@x.example", "two+tag@x.example")))
    addresses = Addresses(world.store, KEY)
    company = Company("co-1", "X", domains=("x.example",))
    world.store.commit([Companies(world.store).creating(company), addresses.adding_company("x.example", "co-1")])
    return world


def test_a_right_index_is_left_alone(indexed: MailWorld) -> None:
    before = indexed.memory.dump()
    result = rebuild(indexed)
    assert (result.added, result.removed) == (0, 0)
    assert indexed.memory.dump() == before


def test_a_lost_index_is_made_again_from_the_records(indexed: MailWorld) -> None:
    before = index(indexed)
    indexed.memory.commit([Delete(path) for path in before])
    dry = rebuild(indexed, dry_run=True)
    assert dry.added == 9  # two contacts, two addresses of a third, two users with two each, one domain
    assert index(indexed) == {}
    assert rebuild(indexed) == Rebuilt(rows=7, added=9, removed=0)
    assert index(indexed) == before


def test_entries_nobody_has_are_taken_away(indexed: MailWorld) -> None:
    before = index(indexed)
    addresses = Addresses(indexed.store, KEY)
    gone = Known("gone@x.example", "contact", "c-gone")
    moved = Known("moved@x.example", "contact", "c-carl")
    indexed.store.commit([addresses.adding(gone), addresses.adding(moved)])
    assert rebuild(indexed).removed == 2
    assert index(indexed) == before


def test_the_mark_of_an_erased_person_stays(indexed: MailWorld) -> None:
    addresses = Addresses(indexed.store, KEY)
    path = addresses.path("erased@x.example")
    indexed.store.commit([Merge(path, {"v": 1, "erased": True})])
    rebuild(indexed)
    assert addresses.rows(["erased@x.example"])["erased@x.example"].erased

"""A person asks to be forgotten: every trace listed, then gone, and the sync does not bring them back (R10, D10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.erasure import ERASED, ErasureState
from shared.domain.ledger import Rule, State
from shared.domain.people import Phone
from shared.domain.settings import NeverLog
from shared.errors import NotFoundError
from shared.ports.documents import Delete, Replace, Version, Write
from shared.records.addresses import Addresses
from shared.records.erasures import Erasures
from shared.records.people import Contacts
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.operations.erase_person import Eraser, Outcome, erase_person, list_person, suppressed
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, DORA, KEY, MailWorld, mail_world

WORDS = ("carl@customer.example", "Carl Customer", "+49 30 1234567")
A_QUARTER_OF_AN_HOUR_S = 901


def no_recurrence(*_: Any) -> None:
    raise AssertionError("no series here")


def eraser(world: MailWorld) -> Eraser:
    return Eraser(
        documents=world.documents,
        store=world.store,
        blobs=world.blobs,
        vault=world.vault(),
        recurrence=no_recurrence,  # type: ignore[arg-type]  # a port that is not asked in these stories
        clock=world.clock,
        jitter=world.jitter,
    )


def erase(world: MailWorld, contact_id: str = "c-carl") -> Outcome:
    return erase_person(eraser(world), contact_id, papers=None, actor="operator")


def words_of(world: MailWorld) -> str:
    """Everything stored, but for the ledger of the simulated Gmail, which is not ours."""
    return world.stored_words().lower()


@pytest.fixture
def world() -> MailWorld:
    """Carl wrote, was written to, and took part in mail that concerns Dora as well."""
    world = mail_world(contacts=(CARL, DORA))
    carl = Contacts(world.store).get("c-carl")
    phone = Phone("+49 30 1234567", "+49301234567")
    world.store.commit([Contacts(world.store).updating(replace(carl.contact, phones=(phone,)), carl.version)])
    first = world.arrives(subject="From Carl", text="Call me: +49 30 1234567. " * 5_000, to=[ANNA, BEN])
    world.sends(subject="To Carl alone", text="Dear Carl Customer, hello")
    world.arrives(
        sender=DORA,
        to=[ANNA, CARL],
        subject="Dora to both",
        text="I asked Carl Customer <carl@customer.example>, mailto:carl@customer.example?x=1",
    )
    world.arrives(
        sender=DORA,
        subject="Re: From Carl",
        text="On Monday Carl Customer wrote: call +49 30 1234567",
        in_reply_to=first,
        references=[first],
    )
    world.arrives(sender=DORA, subject="A mention", text="Ask carl+work@customer.example about it")
    world.arrives(sender=DORA, subject="Nothing of him", text="Sunny today")
    world.sync(ANNA)
    world.sync(BEN)
    return world


def test_everything_is_listed_before_anything_changes(world: MailWorld) -> None:
    before = world.memory.dump()
    listing = list_person(eraser(world), "c-carl")
    assert listing.traces["messages"] == 4  # two of his own, one he shares, one that mentions him
    assert listing.traces["contacts"] == 1
    assert listing.papers == ()
    assert listing.under_way == ()
    assert world.memory.dump() == before


def test_no_word_of_the_person_stays_anywhere(world: MailWorld) -> None:
    assert all(word.lower() in words_of(world) for word in WORDS)
    outcome = erase(world)
    assert outcome.left == ()
    assert [word for word in WORDS if word.lower() in words_of(world)] == []
    with pytest.raises(NotFoundError):
        Contacts(world.store).get("c-carl")
    assert not [path for path in world.memory.paths() if "/contacts/c-carl" in path]


def test_what_they_wrote_and_got_alone_goes_and_mail_of_others_stays(world: MailWorld) -> None:
    erase(world)
    subjects = sorted(message.subject for message in world.messages())
    assert subjects == ["A mention", "Dora to both", "Nothing of him", "Re: From Carl"]
    assert sorted(world.subjects("c-dora")) == subjects
    assert world.bucket.keys() == []


def test_in_mail_of_others_the_person_is_blacked_out(world: MailWorld) -> None:
    erase(world)
    shared = next(message for message in world.messages() if message.subject == "Dora to both")
    assert shared.text == f"I asked {ERASED} <{ERASED}>, mailto:{ERASED}?x=1"
    assert [who.email for who in shared.to] == [ANNA, "erased@person.invalid"]
    assert shared.contact_ids == ("c-dora",)
    reply = next(message for message in world.messages() if message.subject == "Re: From Carl")
    assert reply.text == f"On Monday {ERASED} wrote: call {ERASED}"
    mention = next(message for message in world.messages() if message.subject == "A mention")
    assert mention.text == f"Ask {ERASED} about it"


def test_the_receipts_still_add_up_and_name_the_rule(world: MailWorld) -> None:
    erase(world)
    receipt = world.receipt(ANNA)
    assert receipt.balanced
    assert receipt.left_out == {Rule.ERASED: 2}
    assert {row.fields["message_id"] for row in world.rows(ANNA) if row.fields["state"] == "left_out"} == {None}


def test_the_figures_of_others_are_counted_anew(world: MailWorld) -> None:
    erase(world)
    assert Contacts(world.store).get("c-dora").figures.mails == 4


def test_the_sync_does_not_bring_the_person_back(world: MailWorld) -> None:
    erase(world)
    before = {message.message_id for message in world.messages()}
    world.arrives(subject="Carl again")
    world.arrives(sender=DORA, to=[ANNA, CARL], subject="Both again")
    world.history_expires()
    world.sync()
    world.time.advance(60)
    world.backfill()
    world.drain()
    audit_mailbox(world.served(ANNA), after=START, before=world.clock.now())
    world.drain()
    assert {message.message_id for message in world.messages()} <= before
    assert [word for word in WORDS if word.lower() in words_of(world)] == []
    assert world.receipt(ANNA).left_out[Rule.ERASED] >= 3


def test_a_second_mailbox_that_connects_later_brings_nothing_back(world: MailWorld) -> None:
    erase(world)
    world.store.commit([Delete(row.path) for row in world.rows(BEN)])
    world.time.advance(60)
    world.backfill(BEN)
    world.drain()
    assert [word for word in WORDS if word.lower() in words_of(world)] == []
    assert {row.fields["state"] for row in world.rows(BEN)} == {State.LEFT_OUT.value}


def test_the_proof_holds_hashes_alone_and_says_what_keeps_the_person_out(world: MailWorld) -> None:
    erasure = erase(world).erasure
    assert erasure.state is ErasureState.SETTLING
    assert erasure.suppressed == (Addresses(world.store, KEY).path(CARL).rsplit("/", 1)[1],)
    assert suppressed(world.store, erasure)
    assert erasure.traces["messages"] == 4
    stored = Erasures(world.store).of_contact("c-carl")
    assert stored is not None
    assert "carl@" not in repr(stored.value)


def test_a_second_look_finds_what_was_under_way(world: MailWorld) -> None:
    erase(world)
    late = world.arrives(sender=DORA, subject="Late", text="ask carl@customer.example")
    world.sync()
    world.time.advance(A_QUARTER_OF_AN_HOUR_S)
    outcome = erase(world)
    assert outcome.erasure.state is ErasureState.DONE
    assert outcome.left == ()
    message = world.message(late)
    assert message is not None
    assert message.text == f"ask {ERASED}"


def test_mail_that_a_worker_posts_during_the_erasure_goes_as_well(world: MailWorld) -> None:
    addresses = world.store.get(Addresses(world.store, KEY).path(CARL))
    assert addresses is not None
    late = world.arrives(subject="Late", text="from carl@customer.example")
    commit = world.memory.commit

    def slow_worker_first(writes: Sequence[Write]) -> list[Version]:
        if any(isinstance(write, Delete) and write.path == "tenants/acme/contacts/c-carl" for write in writes):
            world.memory.commit = commit  # type: ignore[method-assign]  # once
            marked = world.store.get(addresses.path)
            assert marked is not None
            world.store.commit([Replace(addresses.path, addresses.fields)])  # what the worker read before the marks
            world.sync()
            assert world.message(late) is not None
            world.store.commit([Replace(addresses.path, marked.fields)])
        return commit(writes)

    world.memory.commit = slow_worker_first  # type: ignore[method-assign]  # for one commit
    assert erase(world).left == ()
    assert world.message(late) is None
    assert [word for word in WORDS if word.lower() in words_of(world)] == []


def test_repeating_a_finished_erasure_changes_nothing(world: MailWorld) -> None:
    erase(world)
    world.time.advance(A_QUARTER_OF_AN_HOUR_S)
    assert erase(world).erasure.state is ErasureState.DONE
    before = world.memory.dump()
    assert erase(world).erasure.state is ErasureState.DONE
    assert world.memory.dump() == before


def test_an_address_somebody_else_has_as_well_stays_theirs(world: MailWorld) -> None:
    world.contact(CARL, contact_id="c-office")
    outcome = erase(world)
    assert outcome.erasure.shared == 1
    assert outcome.erasure.suppressed == ()
    assert outcome.left == ()
    world.arrives(subject="To the office")
    world.sync()
    assert "To the office" in world.subjects("c-office")


def test_own_records_lose_the_person_too(world: MailWorld) -> None:
    world.options(own_record=True)
    world.arrives(to="list@else.example", bcc=[ANNA], subject="Hidden copy", text="Yours, Carl Customer")
    world.sync()
    erase(world)
    assert world.own_record() == []
    assert [word for word in WORDS if word.lower() in words_of(world)] == []


def test_nobody_can_be_erased_who_was_never_here(world: MailWorld) -> None:
    with pytest.raises(NotFoundError):
        erase(world, "c-nobody")


def test_the_person_goes_from_lists_of_what_is_never_logged(world: MailWorld) -> None:
    world.options(never_log=NeverLog(addresses=frozenset({CARL, "else@x.example"})))
    erase(world)
    assert world.mailbox(ANNA).options.never_log.addresses == {"else@x.example"}

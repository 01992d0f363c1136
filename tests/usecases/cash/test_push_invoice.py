"""Making one invoice: what stops it, what differs, and what a person does about it (Q8, Q9, Q12)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.cash.deal import Step
from shared.domain.cash.intent import IntentState
from shared.domain.cash.mapping import MatchState
from shared.domain.people import Contact
from shared.errors import ForbiddenError, InputError, NotFoundError, ProviderUnavailableError
from shared.records.ledgers import customer_matches
from shared.records.people import Contacts
from shared.usecases.cash.create_invoice import Reviewed, Source, create_invoice
from shared.usecases.cash.decide_invoice import Choice, ask_to_send, resolve_conflict, retry_invoice, void_invoice
from shared.usecases.cash.plan_invoices import plan_invoices
from tests.cash_world import (
    ANNA,
    BUYER,
    BUYING_COMPANY,
    CUSTOMER,
    DEAL,
    FIONA,
    LEDGER,
    CashWorld,
    line,
    sold,
    usd,
)


def retry(world: CashWorld) -> None:
    retry_invoice(
        world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter
    )
    world.drain(redeliver=True)


def resolve(world: CashWorld, choice: Choice) -> None:
    resolve_conflict(
        world.store,
        world.mirror().key,
        choice,
        FIONA,
        open_ledger=world.open_ledger,
        clock=world.clock,
        jitter=world.jitter,
    )


# --------------------------------------------------------------------------------------------------------- what stops


def test_an_unmapped_customer_stops_it_with_a_sentence_and_no_call() -> None:
    world = sold()
    world.unmaps()
    world.wins()
    assert world.intent().state is IntentState.STOPPED
    assert world.said(Step.INVOICE_STOPPED) == (
        "This customer is not mapped in the ledger yet; map it on the mapping page."
    )
    assert world.books.calls["create_invoice"] == 0


def test_after_the_mapping_is_mended_a_person_tries_again() -> None:
    world = sold()
    world.unmaps()
    world.wins()
    matches = customer_matches(world.store, LEDGER)
    stored = matches.get(BUYING_COMPANY)
    mended = replace(stored.value, state=MatchState.OVERRIDDEN, customer_id=CUSTOMER)
    world.store.commit([matches.updating(BUYING_COMPANY, mended, stored.version)])
    retry(world)
    assert world.intent().state is IntentState.CREATED
    assert len(world.books.invoices()) == 1


def test_what_the_ledger_refuses_stops_it_with_the_ledgers_words() -> None:
    world = sold()
    world.books.refusing = ["QuickBooks: the item is not active."]
    world.wins()
    assert world.intent().reason == "QuickBooks: the item is not active."
    retry(world)
    assert world.intent().state is IntentState.CREATED


def test_only_what_was_stopped_can_be_tried_again() -> None:
    world = sold()
    world.wins()
    with pytest.raises(InputError, match="was not stopped"):
        retry(world)


def test_an_answer_nobody_understands_stops_it_and_nothing_is_left_leased() -> None:
    world = sold()

    def broken(method: str) -> None:
        if method == "create_invoice":
            raise NotFoundError("invoice resource does not exist")

    world.books.on_call = broken
    world.wins()
    assert world.intent().state is IntentState.STOPPED
    assert "could not be used" in world.intent().reason
    assert world.intent().lease.owner is None


def test_a_quote_that_changed_after_the_signature_is_not_invoiced() -> None:
    world = sold()
    plan_only(world)
    stored = world.records.quotes.get("qt-1")
    cheaper = replace(stored.value, discount_amount=usd(10))
    world.store.commit([world.records.quotes.updating("qt-1", cheaper, stored.version)])
    world.drain()
    assert world.intent().reason == (
        "Quote QT-1 comes to 90.00 USD now, and 100.00 USD was planned; it changed after the contract was signed."
    )


def sells_to(world: CashWorld, key: str) -> None:
    stored = world.records.deals.get(DEAL)
    world.store.commit([world.records.deals.updating(DEAL, replace(stored.value, company_id=key), stored.version)])


def plan_only(world: CashWorld) -> None:
    plan_invoices(world.store, DEAL, tasks=world.tasks, clock=world.clock)


# ----------------------------------------------------------------------------------------------------------- customers


def test_a_customer_that_nobody_mapped_is_made_there_if_that_is_wanted() -> None:
    world = sold()
    world.settings(creates_customers=True)
    contact = Contact("c-new", "Nora", "New", emails=("nora@new.example",))
    world.store.commit([Contacts(world.store).creating(contact)])
    sells_to(world, "c-new")
    world.wins()
    match = customer_matches(world.store, LEDGER).get("c-new").value
    assert match.state is MatchState.CREATED
    assert world.books.invoices()[0].customer_id == match.customer_id


def test_a_name_that_is_taken_there_is_not_adopted_silently() -> None:
    world = sold()
    world.settings(creates_customers=True)
    world.store.commit([Contacts(world.store).creating(Contact("c-twin", "Globex", "Corporation"))])
    sells_to(world, "c-twin")
    world.wins()
    assert "has the name 'Globex Corporation' already" in world.intent().reason


# --------------------------------------------------------------------------------------------------------- what differs


def test_a_cents_difference_stays_in_the_ledger_unsent_and_both_figures_are_shown() -> None:
    world = sold(tax=8)
    world.settings(sends_invoices=True)
    world.books.cents_off = 1
    world.wins()
    assert world.intent().state is IntentState.DIFFERS
    assert "the ledger has 108.01 USD with tax 8.01 USD, the quote 108.00 USD with tax 8.00 USD" in (
        world.said(Step.INVOICE_STOPPED)
    )
    assert [invoice.emailed for invoice in world.books.invoices()] == [False]
    assert {edit.field: (edit.ours, edit.theirs) for edit in world.mirror().conflicts} == {
        "total": ("108.00 USD", "108.01 USD"),
        "tax": ("8.00 USD", "8.01 USD"),
    }


def test_an_invoice_that_differs_is_not_sent_on_request_either() -> None:
    world = sold(tax=8)
    world.books.cents_off = 1
    world.wins()
    with pytest.raises(InputError, match="differs"):
        ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)


def test_a_difference_corrected_in_the_ledger_is_recognised() -> None:
    world = sold(tax=8)
    world.settings(sends_invoices=True)
    world.books.cents_off = 1
    world.wins()
    world.books.edits(world.mirror().invoice.invoice_id, whole=usd("108.00"), tax=usd("8.00"))
    world.hears_all()
    world.passes(minutes=6)
    world.sweeps()
    assert world.intent().state is IntentState.CREATED
    assert not world.mirror().conflicts
    assert len(world.books.sent) == 1


def test_a_person_may_take_the_ledgers_figures() -> None:
    world = sold(tax=8)
    world.books.cents_off = 1
    world.wins()
    resolve(world, Choice.TAKE_THEIRS)
    assert world.intent().state is IntentState.CREATED
    assert not world.mirror().conflicts


# ----------------------------------------------------------------------------------------------------- sending, voiding


def test_an_invoice_that_equals_is_mailed_once_where_the_organization_wants_it() -> None:
    world = sold()
    world.settings(sends_invoices=True)
    world.wins()
    world.sweeps()
    assert world.books.sent == [(world.mirror().invoice.invoice_id, "carla@globex.example")]
    assert world.steps()[-1] is Step.INVOICE_SENT


def test_a_mail_whose_answer_was_lost_is_not_sent_twice() -> None:
    world = sold()
    world.wins()
    world.books.lost_replies = 1
    ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)
    world.drain(redeliver=True)
    assert len(world.books.sent) == 1
    assert world.mirror().invoice.emailed


def test_a_ledger_that_does_not_tell_what_it_mailed_mails_once_all_the_same() -> None:
    world = sold()
    world.settings(sends_invoices=True)
    world.books.shows_mailed = False
    world.wins()
    for _ in range(2):
        ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)
        world.passes(hours=1)
        world.drain(redeliver=True)
    assert len(world.books.sent) == 1
    assert world.steps().count(Step.INVOICE_SENT) == 1


def test_a_mail_that_never_left_is_sent_after_ten_minutes_of_doubt() -> None:
    world = sold()
    world.wins()
    down = [True]

    def first_time(method: str) -> None:
        if method == "send_invoice" and down and down.pop():
            raise ProviderUnavailableError("no connection")

    world.books.on_call = first_time
    began = world.clock.now()
    ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)
    world.drain(redeliver=True)
    assert len(world.books.sent) == 1
    assert (world.clock.now() - began).total_seconds() >= 600


def test_an_address_the_ledger_refuses_is_said_on_the_deal() -> None:
    world = sold()
    world.books.mailing_refused = "QuickBooks: the address is not valid."
    world.wins()
    ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)
    world.drain(redeliver=True)
    assert world.said(Step.INVOICE_STOPPED) == "QuickBooks: the address is not valid."


def test_a_billing_contact_without_an_address_is_named() -> None:
    world = sold()
    stored = Contacts(world.store).get(BUYER)
    world.store.commit([Contacts(world.store).updating(Contact(BUYER, "Carla", "Buyer"), stored.version)])
    world.wins()
    ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)
    world.drain(redeliver=True)
    assert "has no address to be sent to" in world.said(Step.INVOICE_STOPPED)


def test_a_void_needs_a_reason_and_frees_no_second_invoice() -> None:
    world = sold()
    world.wins()
    with pytest.raises(InputError, match="Say why"):
        void(world, " ")
    void(world, "ordered twice")
    void(world, "ordered twice")
    assert world.steps()[-1] is Step.INVOICE_VOIDED
    world.wins()
    assert len(world.books.invoices()) == 1


def void(world: CashWorld, reason: str) -> None:
    void_invoice(
        world.store,
        world.mirror().key,
        reason,
        FIONA,
        open_ledger=world.open_ledger,
        clock=world.clock,
        jitter=world.jitter,
    )


# -------------------------------------------------------------------------------------------------------------- edits


def edited() -> CashWorld:
    world = sold()
    world.wins()
    world.books.edits(world.mirror().invoice.invoice_id, whole=usd("90.00"))
    world.hears_all()
    return world


def test_an_edit_in_the_ledger_is_shown_field_by_field_and_overwritten_by_nobody() -> None:
    world = edited()
    (edit,) = world.mirror().conflicts
    assert (edit.field, edit.ours, edit.theirs) == ("total", "100.00 USD", "90.00 USD")
    assert "total: 90.00 USD instead of 100.00 USD" in world.said(Step.INVOICE_EDITED)
    assert world.books.calls["restore_invoice"] == 0


@pytest.mark.parametrize(
    ("choice", "total"),
    [(Choice.TAKE_THEIRS, usd("90.00")), (Choice.PUSH_OURS, usd("100.00")), (Choice.DETACH, usd("90.00"))],
)
def test_a_person_takes_theirs_pushes_ours_or_detaches(choice: Choice, total: object) -> None:
    world = edited()
    resolve(world, choice)
    assert world.books.invoices()[0].total == total
    assert not world.mirror().conflicts


def test_a_payment_needs_no_decision() -> None:
    world = sold()
    world.wins()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    world.hears_all()
    assert not world.mirror().conflicts
    with pytest.raises(InputError, match="Nobody edited"):
        resolve(world, Choice.TAKE_THEIRS)


def test_a_sales_rep_decides_nothing_about_ledgers() -> None:
    world = edited()
    with pytest.raises(ForbiddenError):
        resolve_conflict(
            world.store,
            world.mirror().key,
            Choice.DETACH,
            ANNA,
            open_ledger=world.open_ledger,
            clock=world.clock,
            jitter=world.jitter,
        )


# ---------------------------------------------------------------------------------------------------- the record number


def test_invoices_are_numbered_without_gaps_however_many_came_to_nothing() -> None:
    """What is stopped before the ledger has it takes no number, and a second try of the same invoice none either."""
    world = sold(line(1, "100.00"))
    world.books.refusing = ["The customer is on hold."]
    world.wins()
    assert world.intent().record_number == ""
    world.books.lost_replies = 1
    retry(world)
    for number in range(2, 5):
        reviewed = Reviewed((line(1, "10.00"),), "USD")
        shown = Source(key=f"shown-{number}", deal_id=DEAL)
        create_invoice(world.store, shown, reviewed, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter)
        world.drain(redeliver=True)
    assert sorted(intent.record_number for intent in world.intents()) == [f"INV-00000{n}" for n in range(1, 5)]


def test_the_number_is_shown_beside_the_ledgers() -> None:
    world = sold()
    world.wins()
    shown = world.mirror()
    assert (shown.record_number, shown.invoice.number) == ("INV-000001", world.intent().number)


def test_an_invoice_that_differs_stands_in_the_ledger_and_has_its_number() -> None:
    world = sold(tax=8)
    world.books.cents_off = 1
    world.wins()
    assert (world.intent().state, world.intent().record_number) == (IntentState.DIFFERS, "INV-000001")

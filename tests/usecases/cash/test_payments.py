"""What happens in the ledger shows on the deal, by the newest version and in both directions (Q11, Q14, Q10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.cash.accounting import InvoiceStatus, LedgerChange, PaymentKind, RecordKind
from shared.domain.cash.deal import Step
from shared.domain.cash.deal_money import DealMoneyState
from shared.domain.cash.mirror import InvoiceMirror
from shared.domain.cash.quote import Instalment
from shared.domain.people import User
from shared.errors import ForbiddenError, InputError
from shared.usecases.cash.decide_invoice import match_invoice, unmatched_invoices
from shared.usecases.cash.read_deal_money import DealInvoices, read_deal_money
from shared.usecases.cash.sync_ledger_record import sync_ledger_record
from tests.cash_schedules import ShakyDocuments
from tests.cash_world import ANNA, BUYING_COMPANY, CUSTOMER, DEAL, FIONA, LEDGER, CashWorld, line, sold, usd
from tests.fake_ledger import COMPANY

THIRDS = tuple(Instalment(number, percent=None, amount=usd(amount)) for number, amount in enumerate((40, 30, 30), 1))
HALVES = (Instalment(1, percent=None, amount=usd(40)), Instalment(2, percent=None, amount=usd(60)))


def invoiced(**fields: object) -> CashWorld:
    world = sold(line(1, "100.00"), **fields)  # type: ignore[arg-type]  # of the quote
    world.wins()
    world.hears_all()
    return world


def state(world: CashWorld) -> DealMoneyState:
    return world.records.standings.get(DEAL).value.state


def pay(world: CashWorld, minor: int, mirror: InvoiceMirror | None = None) -> str:
    payment = world.books.pays((mirror or world.mirror()).invoice.invoice_id, minor)
    world.hears_all()
    return payment


def test_two_part_payments_make_it_partially_paid_then_paid() -> None:
    world = invoiced()
    pay(world, 4_000)
    assert state(world) is DealMoneyState.PARTIALLY_PAID
    pay(world, 6_000)
    assert state(world) is DealMoneyState.PAID
    assert world.steps().count(Step.PAYMENT_RECEIVED) == 2
    assert world.said(Step.DEAL_PAID) == "100.00 USD of 100.00 USD is settled; 0.00 USD is outstanding."


@pytest.mark.parametrize("way", ["bounces", "unapplies", "deletes_payment"])
def test_a_payment_that_is_taken_back_shows_the_deal_open_again(way: str) -> None:
    world = invoiced()
    payment = pay(world, 10_000)
    getattr(world.books, way)(payment)
    world.hears_all()
    assert state(world) is DealMoneyState.OPEN
    assert Step.PAYMENT_UNAPPLIED in world.steps()
    assert world.steps()[-1] is Step.DEAL_OPEN_AGAIN


def test_two_invoices_paid_at_once_come_to_paid() -> None:
    """Two workers each see the other's invoice unpaid; the deal's standing makes one of them look again."""
    documents = ShakyDocuments()
    world = invoiced(schedule=THIRDS, documents=documents)
    first, second, third = sorted(world.mirrors(), key=lambda mirror: mirror.invoice.invoice_id)
    pay(world, first.invoice.balance.minor, first)
    for mirror in (second, third):
        world.books.pays(mirror.invoice.invoice_id, mirror.invoice.balance.minor)
    interrupted = [True]

    def read(mirror: InvoiceMirror) -> None:
        change = LedgerChange(RecordKind.INVOICE, mirror.invoice.invoice_id, world.clock.now())
        sync_ledger_record(
            world.store, LEDGER, change, ledger=world.ledger, tasks=world.tasks, clock=world.clock, jitter=world.jitter
        )

    documents.before = lambda: read(third) if interrupted and interrupted.pop() else None
    read(second)
    assert state(world) is DealMoneyState.PAID
    assert world.steps().count(Step.DEAL_PAID) == 1


def test_a_credit_memo_lowers_what_is_owed_with_a_step_of_its_own() -> None:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 2_500, kind=PaymentKind.CREDIT_MEMO)
    world.hears_all()
    assert Step.CREDIT_APPLIED in world.steps()
    (money,) = read_deal_money(world.store, DEAL, FIONA, clock=world.clock).money
    assert (money.credited, money.paid, money.outstanding) == (usd(25), usd(0), usd(75))


def test_a_refund_is_shown_on_the_only_deal_of_its_customer() -> None:
    world = invoiced()
    pay(world, 10_000)
    world.books.enters(PaymentKind.REFUND, 1_000, {}, CUSTOMER)
    world.hears_all()
    assert world.said(Step.REFUND_MADE) == "A refund of 10.00 USD was made."
    (money,) = read_deal_money(world.store, DEAL, FIONA, clock=world.clock).money
    assert (money.paid, money.refunded) == (usd(100), usd(10))


def test_a_payment_on_account_is_told_and_pays_nothing_yet() -> None:
    world = invoiced()
    world.books.enters(PaymentKind.PAYMENT, 10_000, {}, CUSTOMER)
    world.hears_all()
    assert world.said(Step.PAYMENT_UNAPPLIED) == "A payment of 100.00 USD is not applied to an invoice yet."
    assert state(world) is DealMoneyState.OPEN


def test_a_payment_of_somebody_elses_customer_is_not_kept() -> None:
    world = invoiced()
    world.books.enters(PaymentKind.PAYMENT, 10_000, {}, "a-stranger")
    world.hears_all()
    assert not world.records.payments.where(())


def test_a_payment_that_moves_to_another_invoice_moves_both() -> None:
    world = invoiced(schedule=HALVES)
    first, second = sorted(world.mirrors(), key=lambda mirror: mirror.invoice.total.minor)
    payment = pay(world, 4_000, first)
    world.books.unapplies(payment, to={second.invoice.invoice_id: 4_000})
    world.books.notices = world.books.notices[-1:]  # the invoices' own notices are lost
    world.hears_all()
    assert sorted(mirror.invoice.balance.minor for mirror in world.mirrors()) == [2_000, 4_000]


def test_an_invoice_voided_or_deleted_there_is_owed_by_nobody() -> None:
    world = invoiced()
    world.books.deletes(world.mirror().invoice.invoice_id)
    world.hears_all()
    assert world.mirror().invoice.status is InvoiceStatus.DELETED
    assert state(world) is DealMoneyState.NOT_INVOICED
    assert "was deleted in the ledger" in world.said(Step.INVOICE_VOIDED)


def test_overdue_is_computed_in_the_ledgers_time_zone_without_any_event() -> None:
    world = invoiced()
    world.books.edits(world.mirror().invoice.invoice_id, due_on=datetime(2026, 3, 10, tzinfo=UTC).date())
    world.hears_all()
    world.time.set(datetime(2026, 3, 11, 3, 0, tzinfo=UTC))  # still the 10th in New York
    assert overdue(world) == 0
    world.time.set(datetime(2026, 3, 12, 12, 0, tzinfo=UTC))
    assert overdue(world) == 2


def overdue(world: CashWorld) -> int:
    (money,) = read_deal_money(world.store, DEAL, FIONA, clock=world.clock).money
    return money.overdue_days


def test_a_rep_is_told_where_the_money_of_the_own_deals_stands_without_amounts() -> None:
    world = invoiced()
    pay(world, 4_000)
    shown = read_deal_money(world.store, DEAL, ANNA, clock=world.clock)
    assert shown == DealInvoices("What was invoiced is paid in part.")
    stranger = User("u-other", "Otto", "otto@acme.example")
    with pytest.raises(ForbiddenError):
        read_deal_money(world.store, DEAL, stranger, clock=world.clock)


def test_a_rep_is_told_that_the_money_of_a_bounced_payment_is_open_again() -> None:
    world = invoiced()
    pay(world, 4_000)
    bouncing = pay(world, 6_000)
    world.books.bounces(bouncing)
    world.hears_all()
    assert standing(world) == "What was paid is open again in part: the rest of what was invoiced is still paid."
    pay(world, 1_000)
    assert standing(world) == "What was paid is open again in part: the rest of what was invoiced is still paid."
    pay(world, 5_000)
    assert standing(world) == "What was invoiced is paid."


def standing(world: CashWorld) -> str:
    return read_deal_money(world.store, DEAL, ANNA, clock=world.clock).sentence


@pytest.mark.parametrize("order", [1, -1])
def test_a_payment_is_told_before_what_it_does_to_the_deal(order: int) -> None:
    """On the chain and on the timelines, in whatever order the ledger's notice names payment and invoice."""
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    world.books.notices = world.books.notices[::order]
    world.hears_all()
    told = {step.step: step.at for step in world.chain()}
    assert world.steps()[-2:] == [Step.PAYMENT_RECEIVED, Step.DEAL_PAID]
    assert told[Step.PAYMENT_RECEIVED] < told[Step.DEAL_PAID]


def test_a_payment_that_did_not_change_is_not_named_as_the_cause_of_what_another_one_did() -> None:
    world = invoiced()
    kept, bouncing = pay(world, 4_000), pay(world, 6_000)
    world.passes(seconds=1)
    world.books.bounces(bouncing)
    world.books.notices = [change for change in world.books.notices if change.kind is not RecordKind.INVOICE]
    world.books.notices.insert(
        0, LedgerChange(RecordKind.PAYMENT, kept, world.clock.now(), company_id=COMPANY.company_id)
    )
    for change in world.books.notices:
        world.hears(change)
    world.drain(redeliver=True)
    assert world.steps()[-2:] == [Step.PAYMENT_UNAPPLIED, Step.DEAL_OPEN_AGAIN]


def test_a_payment_that_a_reading_finds_is_told_before_what_it_does_to_the_deal() -> None:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    world.books.notices.clear()
    world.reconciles()
    assert world.steps()[-2:] == [Step.PAYMENT_RECEIVED, Step.DEAL_PAID]


# ------------------------------------------------------------------------------------------------- made in the ledger


def made_there(world: CashWorld, customer_id: str = CUSTOMER) -> None:
    draft = world.books.rows()[0].draft
    typed = replace(draft, number="2044", external_id="", customer_id=customer_id)
    world.books.create_invoice(typed, "typed by hand")


def test_an_invoice_made_there_for_a_customer_of_ours_waits_to_be_matched() -> None:
    world = invoiced()
    made_there(world)
    world.hears_all()
    (found,) = unmatched_invoices(world.store, LEDGER, FIONA)
    assert found.invoice.number == "2044"
    match_invoice(world.store, found.key, DEAL, FIONA, clock=world.clock, jitter=world.jitter)
    (money,) = read_deal_money(world.store, DEAL, FIONA, clock=world.clock).money
    assert money.invoiced == usd(200)
    with pytest.raises(InputError, match="on a deal already"):
        match_invoice(world.store, found.key, DEAL, FIONA, clock=world.clock, jitter=world.jitter)


def test_other_peoples_invoices_are_not_kept() -> None:
    world = invoiced()
    made_there(world, customer_id="a-stranger")
    world.hears_all()
    assert len(world.mirrors()) == 1


def test_two_ledgers_may_give_one_id_to_two_invoices() -> None:
    world = invoiced()
    mirror = world.mirror()
    other = InvoiceMirror(mirror.invoice, "n-other", mirror.customer_id)
    assert other.key != mirror.key


def test_the_customer_of_the_deal_is_the_company() -> None:
    assert invoiced().intent().customer_key == BUYING_COMPANY

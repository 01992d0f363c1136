"""What is invoiced when a deal is won, what is not, and when (Q5, Q9, I32)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from shared.domain.cash.contract import ContractStatus
from shared.domain.cash.deal import Step
from shared.domain.cash.intent import IntentState
from shared.domain.cash.quote import Due, Instalment
from shared.usecases.cash.plan_invoices import plan_invoices, won_before_the_switch
from tests.cash_world import CONTRACT, DEAL, PIPELINE, QUOTE, CashWorld, cash_world, line, sold, usd, worked_example

THIRDS = (
    Instalment(1, Due.AT_SIGNING, Decimal(40)),
    Instalment(2, Due.DAYS_AFTER, Decimal(30), days=60),
    Instalment(3, Due.DAYS_AFTER, Decimal(30), days=120),
)


def plan(world: CashWorld) -> int:
    return plan_invoices(world.store, DEAL, tasks=world.tasks, clock=world.clock)


def test_a_won_deal_is_invoiced_as_its_quote_says_to_the_cent() -> None:
    world = worked_example()
    world.wins()
    (invoice,) = world.books.invoices()
    assert (invoice.total, invoice.tax) == (usd("22680.00"), usd("1680.00"))
    assert world.intent().state is IntentState.CREATED
    assert world.steps() == [Step.INVOICE_PLANNED, Step.INVOICE_CREATED]
    assert world.said(Step.INVOICE_CREATED) == (
        f"Invoice INV-000001 over 22,680.00 USD is in the ledger as {invoice.number}."
    )


def test_each_instalment_is_invoiced_when_it_falls_due_however_far_off() -> None:
    world = sold(line(1, "1000.00"), tax=8, schedule=THIRDS)
    world.wins()
    assert [invoice.total for invoice in world.books.invoices()] == [usd("432.00")]
    world.passes(days=61)
    world.sweeps()
    assert len(world.books.invoices()) == 2
    world.passes(days=60)
    world.sweeps()
    assert [invoice.total for invoice in world.books.invoices()] == [usd("432.00"), usd("324.00"), usd("324.00")]


def test_a_deal_won_without_a_contract_invoices_nothing_and_says_so() -> None:
    world = cash_world()
    world.add_deal()
    assert plan(world) == 0
    assert world.said(Step.INVOICE_STOPPED) == "The deal was won without a signed contract, so nothing is invoiced."


def test_a_contract_that_is_not_signed_is_not_invoiced() -> None:
    world = cash_world()
    world.add_quote(line(1, 100))
    world.add_contract(status=ContractStatus.PARTIALLY_SIGNED)
    world.add_deal()
    assert plan(world) == 0


def test_a_quote_without_lines_is_a_clear_entry_and_no_invoice() -> None:
    world = cash_world()
    world.add_quote()
    world.add_contract()
    world.add_deal()
    assert plan(world) == 0
    assert world.said(Step.INVOICE_STOPPED) == "Quote QT-1 has no lines, so there is nothing to invoice."


def test_a_contract_without_a_quote_is_a_clear_entry() -> None:
    world = cash_world()
    world.add_contract(quote_id=None)
    world.add_deal()
    assert plan(world) == 0
    assert "Contract CT-1 has no quote" in world.said(Step.INVOICE_STOPPED)


def test_a_pipeline_that_does_not_invoice_says_so_once() -> None:
    world = sold()
    world.pipeline(invoices_on_win=False)
    assert plan(world) == plan(world) == 0
    assert world.steps() == [Step.INVOICE_STOPPED]


def test_a_second_contract_over_the_same_quote_is_not_invoiced_again() -> None:
    world = sold()
    world.add_contract(contract_id="ct-2", quote_id=QUOTE, signed_at=world.clock.now() + timedelta(hours=1))
    world.wins()
    assert len(world.books.invoices()) == 1
    assert "invoiced through another contract already" in world.said(Step.INVOICE_STOPPED)
    assert world.intent(contract_id=CONTRACT).state is IntentState.CREATED


def test_deals_won_before_the_switch_are_listed() -> None:
    world = sold()
    world.pipeline(invoices_since=world.clock.now() + timedelta(hours=1))
    assert plan(world) == 0
    assert [deal.deal_id for deal in won_before_the_switch(world.store, PIPELINE)] == [DEAL]
    assert "won before automatic invoices were switched on" in world.said(Step.INVOICE_STOPPED)

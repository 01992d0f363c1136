"""NetSuite's books on a deal: what is paid is believed whether or not a payment counts as a change of its invoice.

NetSuite does not say which of both it is, so either must come to the same end.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.domain.cash.deal_money import DealMoneyState
from shared.domain.cash.mapping import CustomerMatch, MatchState
from shared.records.ledgers import customer_matches
from tests.cash_world import BUYING_COMPANY, DEAL, LEDGER, WORKED_EXAMPLE, CashWorld, cash_world, usd
from tests.fakes import FakeTasks
from tests.providers.netsuite.world import World


@pytest.fixture(params=[True, False], ids=["a payment touches its invoice", "a payment does not"])
def deal(world: World, request: pytest.FixtureRequest) -> CashWorld:
    """The worked example, won and invoiced in the simulated NetSuite."""
    world.control("settings", payments_touch=request.param)
    ledger = world.ledger()
    cash = cash_world()
    cash.clock, cash.tasks, cash.ledger = world.clock, FakeTasks(world.clock), ledger
    matches = customer_matches(cash.store, LEDGER)
    mapped = CustomerMatch(BUYING_COMPANY, MatchState.ACCEPTED, world.id("customer", "Northwind Traders"))
    cash.store.commit([matches.updating(BUYING_COMPANY, mapped, matches.get(BUYING_COMPANY).version)])
    cash.settings(
        provider="netsuite",
        company=ledger.company(),
        default_item=world.id("serviceSaleItem", "Consulting hour"),
        tax_code_id=world.id("salesTaxItem", "Sales tax 8 %"),
        has_notices=False,
        read_until=world.clock.now(),
    )
    cash.add_quote(*WORKED_EXAMPLE, tax_percent=Decimal(8), discount_amount=usd("2000.00"))
    cash.add_contract()
    cash.add_deal()
    cash.wins()
    return cash


def state(cash: CashWorld) -> DealMoneyState:
    return cash.records.standings.get(DEAL).value.state


def polled(cash: CashWorld, *, thorough: bool = False) -> DealMoneyState:
    cash.passes(minutes=5)
    cash.reconciles(thorough=thorough)
    return state(cash)


def test_the_worked_example_is_paid_in_two_parts_and_one_bounces(world: World, deal: CashWorld) -> None:
    invoice = deal.mirror().invoice
    assert (invoice.total, state(deal)) == (usd("22680.00"), DealMoneyState.OPEN)
    world.bookkeeper("pay", invoice=invoice.invoice_id, amount=10_000)
    assert polled(deal) is DealMoneyState.PARTIALLY_PAID
    rest = world.bookkeeper("pay", invoice=invoice.invoice_id)
    assert polled(deal) is DealMoneyState.PAID
    world.bookkeeper("void", record=rest)
    assert polled(deal) is DealMoneyState.PARTIALLY_PAID
    assert deal.mirror().invoice.balance == usd("12680.00")


def test_a_payment_that_is_taken_off_opens_the_invoice_again(world: World, deal: CashWorld) -> None:
    payment = world.bookkeeper("pay", invoice=deal.mirror().invoice.invoice_id)
    assert polled(deal) is DealMoneyState.PAID
    world.bookkeeper("unapply", record=payment)
    assert polled(deal) is DealMoneyState.OPEN


def test_a_payment_that_was_deleted_opens_it_again_at_the_daily_reading(world: World, deal: CashWorld) -> None:
    payment = world.bookkeeper("pay", invoice=deal.mirror().invoice.invoice_id)
    assert polled(deal) is DealMoneyState.PAID
    world.bookkeeper("delete", record=payment)
    deal.passes(days=1)
    assert polled(deal, thorough=True) is DealMoneyState.OPEN


def test_a_credit_settles_it_too(world: World, deal: CashWorld) -> None:
    world.bookkeeper("credit", invoice=deal.mirror().invoice.invoice_id)
    assert polled(deal) is DealMoneyState.PAID

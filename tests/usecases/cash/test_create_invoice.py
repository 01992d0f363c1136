"""An invoice by hand, from a contract, a deal or a contact (Q12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.domain.cash.contract import ContractStatus
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.cash.quote import Instalment
from shared.errors import ForbiddenError, InputError
from shared.ports.documents import Delete
from shared.usecases.cash.create_invoice import Proposal, Reviewed, Source, create_invoice, propose_invoice
from shared.usecases.cash.forms import reviewed_from, source_from
from tests.cash_world import (
    ANNA,
    BUYER,
    CONTRACT,
    DEAL,
    FIONA,
    PIPELINE,
    CashWorld,
    cash_world,
    line,
    sold,
    usd,
    worked_example,
)

BY_HAND_ONLY = {"invoices_on_win": False, "invoices_since": None}


def propose(world: CashWorld, **source: Any) -> Proposal:
    return propose_invoice(world.store, Source(key="", **source), FIONA, chance=world.chance)


def create(world: CashWorld, source: Source, reviewed: Reviewed) -> InvoiceIntent:
    intent = create_invoice(
        world.store, source, reviewed, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter
    )
    world.drain(redeliver=True)
    return world.records.intents.get(intent).value


def test_the_number_and_the_lines_are_shown_before_anything_is_made() -> None:
    world = worked_example()
    shown = propose(world, deal_id=DEAL)
    assert (shown.amount, len(shown.reviewed.lines)) == (usd("22680.00"), 3)
    assert not world.intents()
    assert create(world, shown.source, shown.reviewed).number == shown.number
    assert world.books.invoices()[0].number == shown.number


def test_a_second_click_is_the_same_invoice() -> None:
    world = worked_example()
    shown = propose(world, deal_id=DEAL)
    for _ in range(3):
        create(world, shown.source, shown.reviewed)
    assert len(world.books.invoices()) == 1


def test_looking_anew_is_another_invoice_and_names_the_earlier_ones() -> None:
    world = worked_example()
    first = propose(world, deal_id=DEAL)
    create(world, first.source, first.reviewed)
    second = propose(world, deal_id=DEAL)
    assert second.number != first.number
    assert second.earlier == (first.number,)


def test_a_contracts_instalment_by_hand_is_the_one_automation_would_make() -> None:
    world = worked_example()
    world.pipeline(**BY_HAND_ONLY)
    shown = propose(world, contract_id=CONTRACT)
    create(world, shown.source, shown.reviewed)
    world.pipeline(invoices_on_win=True, invoices_since=world.records.deals.get(DEAL).value.won_at)
    world.wins()
    (invoice,) = world.books.invoices()
    assert (invoice.number, invoice.total) == (shown.number, usd("22680.00"))
    assert world.intent().by_hand == FIONA.user_id


def test_an_instalment_that_is_not_there_is_refused() -> None:
    world = sold(line(1, 100), schedule=(Instalment(1, percent=Decimal(50)), Instalment(2, percent=Decimal(50))))
    assert propose(world, contract_id=CONTRACT, instalment=2).amount == usd(50)
    with pytest.raises(InputError, match="has 2 instalments, and no number 3"):
        propose(world, contract_id=CONTRACT, instalment=3)


def test_a_contract_that_nobody_signed_is_not_invoiced_by_hand_either() -> None:
    world = cash_world()
    world.add_quote(line(1, 100))
    world.add_contract(status=ContractStatus.SENT)
    world.add_deal()
    with pytest.raises(InputError, match="not signed by everyone"):
        create(world, Source(key="k", contract_id=CONTRACT), Reviewed((), "USD"))


def test_from_a_contact_without_a_deal() -> None:
    world = cash_world()
    world.maps(BUYER, "58")
    shown = propose(world, contact_id=BUYER)
    assert shown.reviewed.lines == ()
    made = create(world, shown.source, Reviewed((line(2, "40.00"),), "USD", tax_percent=Decimal(0)))
    assert made.state is IntentState.CREATED
    assert (made.deal_id, world.books.invoices()[0].total) == (None, usd(80))


@pytest.mark.parametrize(
    ("reviewed", "words"),
    [
        (Reviewed((), "USD"), "has no lines"),
        (Reviewed((line(0, "1.00"),), "USD"), "quantity is not positive"),
        (Reviewed((line(1, "1.00"),), "EUR"), "mixes EUR and USD"),
        (Reviewed((line(1, "1.00"),), "USD", discount_amount=usd(5)), "more than zero"),
    ],
)
def test_lines_that_cannot_be_invoiced_are_refused_in_a_sentence(reviewed: Reviewed, words: str) -> None:
    world = worked_example()
    with pytest.raises(InputError, match=words):
        create(world, Source(key="k", deal_id=DEAL), reviewed)
    assert not world.intents()


def test_without_a_ledger_there_is_nothing_to_propose() -> None:
    world = worked_example()
    world.store.commit([Delete("ledgers/n-ledger")])
    with pytest.raises(InputError, match="No ledger is connected"):
        propose(world, deal_id=DEAL)


def test_what_was_stopped_is_tried_again_by_asking_again() -> None:
    world = worked_example()
    world.books.refusing = ["The item is not active."]
    shown = propose(world, deal_id=DEAL)
    assert create(world, shown.source, shown.reviewed).state is IntentState.STOPPED
    assert create(world, shown.source, shown.reviewed).state is IntentState.CREATED


def test_a_sales_rep_makes_no_invoices() -> None:
    world = worked_example()
    with pytest.raises(ForbiddenError):
        propose_invoice(world.store, Source(key="", deal_id=DEAL), ANNA, chance=world.chance)
    assert world.records.pipelines.get(PIPELINE)


# ----------------------------------------------------------------------------------------------------------- the form


def test_a_form_becomes_lines_with_exact_amounts() -> None:
    reviewed = reviewed_from(
        {
            "currency": "USD",
            "lines": [{"description": "Work", "quantity": "1.5", "unit_price": "99.99", "discount_percent": "10"}],
            "tax_percent": "8.875",
            "send": True,
        }
    )
    assert reviewed.lines[0].amount == usd("134.99")
    assert (reviewed.tax_percent, reviewed.sends) == (Decimal("8.875"), True)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"currency": "USD"}, "'lines' is a list"),
        ({"currency": "USD", "lines": [{"description": "x", "unit_price": "1.001"}]}, "more digits"),
        ({"currency": "USD", "lines": [{"description": "x", "unit_price": "NaN"}]}, "digits|amount"),
        ({"currency": "USD", "lines": [{"description": "x", "unit_price": "1", "quantity": "many"}]}, "no number"),
        ({"currency": "dollars", "lines": [{"description": "x", "unit_price": "1"}]}, "no currency"),
    ],
)
def test_a_form_that_cannot_be_read_says_which_field(form: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        reviewed_from(form)


def test_a_source_is_an_id_and_no_path() -> None:
    with pytest.raises(InputError, match="no id"):
        source_from({"deal": "a/b"})

"""Who invoices by rule, and which way each kind of record goes (Q10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.cash.accounting import PaymentKind
from shared.domain.cash.deal import Step
from shared.domain.cash.intent import IntentState
from shared.domain.cash.ledger_settings import SubsidiaryRule
from shared.errors import InputError
from shared.records.ledgers import customer_matches, ledgers
from tests.cash_flows import desk
from tests.cash_world import BUYING_COMPANY, CUSTOMER, LEDGER, CashWorld, line, sold

EUROS = {"field": "quote.currency", "value": "EUR", "subsidiary": "7"}
GLOBEX = {"field": "company.name", "value": "globex inc", "subsidiary": "8"}


def saved(world: CashWorld, **chosen: Any) -> CashWorld:
    desk(world).act("save", {"default_item": "1", **chosen})
    return world


# ------------------------------------------------------------------------------------------------------- subsidiaries


def test_the_first_rule_that_fits_says_who_invoices() -> None:
    world = saved(sold(), subsidiary="1", subsidiaries=[EUROS, GLOBEX])
    world.wins()
    assert world.books.rows()[0].draft.subsidiary_id == "8"


def test_where_no_rule_fits_the_usual_subsidiary_invoices() -> None:
    world = saved(sold(), subsidiary="1", subsidiaries=[EUROS])
    world.wins()
    assert world.books.rows()[0].draft.subsidiary_id == "1"


def test_a_rule_brings_the_currency_of_its_subsidiarys_books() -> None:
    """Else a quote in euros would be refused by a company that counts in dollars."""
    world = saved(sold(), subsidiaries=[EUROS])
    settings = ledgers(world.store).get(LEDGER).value
    assert settings.subsidiaries == (SubsidiaryRule("quote.currency", "EUR", "7", "EUR"),)
    assert settings.for_sale({"quote.currency": "EUR"}).company.currency == "EUR"
    assert settings.for_sale({"quote.currency": "USD"}).company.currency == "USD"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**EUROS, "subsidiary": "99"}, "no subsidiary 99"),
        ({**EUROS, "field": "company.mood"}, "no field company.mood"),
        ({"field": "quote.currency"}, "'value' is missing"),
    ],
)
def test_a_rule_is_held_against_both_sides_before_it_is_kept(rule: dict[str, str], words: str) -> None:
    world = sold()
    with pytest.raises(InputError, match=words):
        saved(world, subsidiaries=[rule])
    assert ledgers(world.store).get(LEDGER).value.subsidiaries == ()


# --------------------------------------------------------------------------------------------------------- directions


def test_invoices_that_do_not_go_to_the_ledger_are_not_made_and_the_deal_says_so() -> None:
    world = saved(sold(), directions={"invoice": "from_ledger"})
    world.wins()
    assert (world.intent().state, world.books.invoices()) == (IntentState.STOPPED, [])
    assert world.said(Step.INVOICE_STOPPED) == "Invoices do not go to Acme Books; the mapping page says so."


def test_customers_that_do_not_go_to_the_ledger_are_mapped_by_hand() -> None:
    world = saved(sold(), creates_customers=True, directions={"customer": "from_ledger"})
    world.store.commit([customer_matches(world.store, LEDGER).updating(*_forgotten(world))])
    world.wins()
    assert world.books.calls["create_customer"] == 0
    assert "not mapped" in world.said(Step.INVOICE_STOPPED)


def _forgotten(world: CashWorld) -> Any:
    """The company's match, as if its customer had gone."""
    stored = customer_matches(world.store, LEDGER).get(BUYING_COMPANY)
    return BUYING_COMPANY, replace(stored.value, gone=True), stored.version


def test_a_kind_that_does_not_come_from_the_ledger_is_left_there() -> None:
    world = saved(sold(line(1, "100.00")), directions={"credit_memo": "off", "customer": "to_ledger"})
    world.wins()
    world.books.pays(world.mirror().invoice.invoice_id, 4_000)
    world.books.pays(world.mirror().invoice.invoice_id, 500, kind=PaymentKind.CREDIT_MEMO)
    world.books.renames(CUSTOMER, name="Globex Holding")
    world.hears_all()
    [payment] = world.records.payments.where(())
    assert payment.value.payment.kind is PaymentKind.PAYMENT
    assert world.mirror().invoice.balance.minor == 5_500  # what is owed is the ledger's to say in any case


def test_invoices_made_there_stay_there_where_they_do_not_come() -> None:
    world = saved(sold(), directions={"invoice": "to_ledger"})
    world.wins()
    typed = replace(world.books.rows()[0].draft, number="2044", external_id="")
    world.books.create_invoice(typed, "typed by hand")
    world.hears_all()
    assert len(world.mirrors()) == 1


@pytest.mark.parametrize(
    ("directions", "words"),
    [({"payment": "to_ledger"}, "entered in the ledger"), ({"mood": "off"}, "'kind'"), ({"invoice": "up"}, "'direct")],
)
def test_a_direction_that_makes_no_sense_is_refused(directions: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        saved(sold(), directions=directions)


# ------------------------------------------------------------------------------------------- record types of one's own

PROJECTS = {
    "type": "customrecord_project",
    "fields": {"custrecord_name": "deal.name", "custrecord_contract": "contract.number"},
}


def test_each_invoice_has_its_record_of_a_type_of_the_owners_own_by_the_same_mapping() -> None:
    world = saved(sold(), records=[PROJECTS])
    world.books.lost_replies = 1
    world.wins()
    written = {"custrecord_name": "Globex rollout", "custrecord_contract": "CT-1"}
    assert world.books.records == {("customrecord_project", world.intent().intent_id): written}
    assert len(world.books.invoices()) == 1


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({**PROJECTS, "type": "customrecord_mood"}, "no record type customrecord_mood"),
        ({**PROJECTS, "fields": {"custrecord_mood": "deal.name"}}, "no custom field custrecord_mood"),
        ({**PROJECTS, "fields": {"custrecord_name": "deal.mood"}}, "no field deal.mood here"),
    ],
)
def test_a_record_type_is_held_against_the_ledgers_description_before_the_first_write(
    record: dict[str, Any], words: str
) -> None:
    world = sold()
    with pytest.raises(InputError, match=words):
        saved(world, records=[record])
    assert ledgers(world.store).get(LEDGER).value.records == ()

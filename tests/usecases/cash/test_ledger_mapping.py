"""The mapping page: names alike in percent, what a person decides, and the switch that waits for it (Q8, Q9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from difflib import SequenceMatcher

import pytest

from shared.domain.cash.mapping import MappingRow, MatchState, RowState
from shared.domain.cash.quote import Instalment
from shared.domain.people import Company, Contact, User
from shared.errors import ForbiddenError, InputError
from shared.records.audit import Audit
from shared.records.ledgers import customer_matches, ledgers
from shared.records.people import Companies, Contacts
from shared.usecases.cash.ensure_customer import NOT_MAPPED
from shared.usecases.cash.map_ledger import MappingDesk
from tests.cash_world import (
    ADA,
    ANNA,
    BUYING_COMPANY,
    CUSTOMER,
    FIONA,
    LEDGER,
    PIPELINE,
    CashWorld,
    cash_world,
    line,
    sold,
    usd,
)


def alike(name: str, names: Sequence[str], limit: int) -> list[tuple[int, float]]:
    """Good enough a likeness for stories."""
    percent = [(at, 100 * SequenceMatcher(None, name, other).ratio()) for at, other in enumerate(names)]
    return sorted(percent, key=lambda found: -found[1])[:limit]


def desk(world: CashWorld, user: User = FIONA) -> MappingDesk:
    return MappingDesk(
        world.store,
        LEDGER,
        user,
        open_ledger=world.open_ledger,
        similar=alike,
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
        waiting_ledger=world.any_ledger,
    )


def with_company(name: str, company_id: str = "co-new") -> CashWorld:
    world = cash_world()
    world.store.commit([Companies(world.store).creating(Company(company_id, name))])
    return world


def rows(world: CashWorld) -> dict[str, MappingRow]:
    found: dict[str, MappingRow] = {}
    after = ""
    while after is not None:
        page = desk(world).act("customers", {"after": after} if after else {})
        found |= {row.key: row for row in page.rows}
        after = page.next_after
    return found


def test_a_company_with_a_likely_name_is_suggested_in_percent() -> None:
    world = with_company("Initech LLC")
    world.books.has_customer("Initech, Inc.")
    row = rows(world)["co-new"]
    assert row.state is RowState.SUGGESTED
    assert (row.candidates[0].name, row.candidates[0].percent) == ("Initech, Inc.", 100)


def test_two_likely_names_are_left_to_a_person() -> None:
    world = with_company("Umbrella")
    world.books.has_customer("Umbrella 1")
    world.books.has_customer("Umbrella 2")
    assert rows(world)["co-new"].state is RowState.AMBIGUOUS


def test_nobody_alike_is_no_match() -> None:
    assert rows(with_company("Zzyzx"))["co-new"].state is RowState.NO_MATCH


def test_contacts_without_a_company_are_customers_too() -> None:
    world = cash_world()
    world.store.commit([Contacts(world.store).creating(Contact("c-solo", "Solo", "Artist"))])
    assert "c-solo" in rows(world)


@pytest.mark.parametrize(
    ("decision", "state", "mapped"),
    [
        ("accept", MatchState.ACCEPTED, CUSTOMER),
        ("override", MatchState.OVERRIDDEN, CUSTOMER),
        ("reject", MatchState.REJECTED, None),
    ],
)
def test_what_a_person_decides_is_remembered(decision: str, state: MatchState, mapped: str | None) -> None:
    world = with_company("Globex")
    desk(world).act("decide", {"key": "co-new", "decision": decision, "customer": CUSTOMER, "percent": 93})
    match = customer_matches(world.store, LEDGER).get("co-new").value
    assert (match.state, match.mapped) == (state, mapped)
    assert rows(world)["co-new"].state is RowState.DECIDED


def test_a_new_customer_is_made_there_once() -> None:
    world = with_company("Hooli")
    for _ in range(2):
        desk(world).act("decide", {"key": "co-new", "decision": "create"})
    assert [kept.name for kept in world.books.customers()].count("Hooli") == 1


def test_products_are_suggested_by_name() -> None:
    (row,) = desk(cash_world()).act("items", {"products": {"p1": "Annual licence"}})
    assert (row.state, row.candidates[0].id) == (RowState.SUGGESTED, "2")


def test_the_page_is_saved_as_a_whole() -> None:
    world = cash_world()
    desk(world).act("save", {"items": {"p1": "2"}, "term": "3", "sends_invoices": True, "frequency": "hourly"})
    settings = ledgers(world.store).get(LEDGER).value
    assert (settings.items, settings.term_id, settings.sends_invoices) == ({"p1": "2"}, "3", True)
    assert settings.frequency == "hourly"


# ---------------------------------------------------------------------------------------------------------- the switch


def switched_off() -> CashWorld:
    world = cash_world()
    world.pipeline(invoices_on_win=False, invoices_since=None)
    return world


def test_the_switch_is_refused_with_everything_that_blocks_it() -> None:
    world = switched_off()
    settings = ledgers(world.store).get(LEDGER).value
    world.settings(
        reviewed_at=None, default_item=None, run_at=None, company=replace(settings.company, has_accounts=True)
    )
    world.add_deal(won=False, company_id="co-unmapped")
    with pytest.raises(InputError) as refused:
        desk(world).act("switch", {"pipeline": PIPELINE, "on": True})
    for words in (
        "Map your products",
        "Review the customer mapping",
        "customers of open deals: Globex rollout",
        "Choose the income account",
        "Run it once by hand",
    ):
        assert words in str(refused.value)
    assert not world.records.pipelines.get(PIPELINE).value.invoices_on_win


def test_after_the_review_it_goes_on_from_now() -> None:
    world = switched_off()
    world.add_deal(won=False)
    desk(world).act("reviewed", {})
    desk(world).act("switch", {"pipeline": PIPELINE, "on": True})
    pipeline = world.records.pipelines.get(PIPELINE).value
    assert (pipeline.invoices_on_win, pipeline.invoices_since) == (True, world.clock.now())


def test_a_product_of_an_open_deal_that_is_no_item_blocks() -> None:
    world = switched_off()
    world.settings(default_item=None, items={"licence": "2"})
    world.add_deal(won=False)
    world.add_quote(line(1, "10.00", product="licence"), line(1, "10.00", product="training"))
    assert desk(world).act("blocking", {"pipeline": PIPELINE}) == ("Map the products of open deals: Training.",)


def test_the_run_by_hand_tells_what_each_deal_would_be_invoiced_and_makes_nothing() -> None:
    world = switched_off()
    world.settings(run_at=None)
    halves = (Instalment(1, percent=Decimal(50)), Instalment(2, percent=Decimal(50)))
    world.add_deal(won=False)
    world.add_quote(line(1, "100.00"), schedule=halves)
    world.add_deal(won=False, deal_id="d-2", company_id="co-unmapped")
    world.add_quote(line(1, "70.00"), quote_id="qt-2", deal_id="d-2")
    rows = desk(world).act("run", {"pipeline": PIPELINE})
    assert [(row.deal_id, row.instalment, row.amount, row.missing) for row in rows] == [
        ("d-1", 1, usd(50), ""),
        ("d-1", 2, usd(50), ""),
        ("d-2", 1, usd(70), NOT_MAPPED),
    ]
    assert (world.intents(), world.books.calls["create_invoice"]) == ([], 0)
    newest = Audit(world.store).newest(1)[0]
    assert (newest.action, newest.after) == ("invoicing.run_by_hand", {"instalments": "3", "missing": "1"})
    assert ledgers(world.store).get(LEDGER).value.run_at == world.clock.now()


def test_an_administrator_without_finance_runs_it_without_reading_amounts() -> None:
    world = switched_off()
    world.add_deal(won=False)
    world.add_quote(line(1, "100.00"))
    (row,) = desk(world, ADA).act("run", {"pipeline": PIPELINE})
    assert (row.amount, row.missing) == (None, "")


def test_a_ledger_without_custom_numbers_blocks() -> None:
    world = switched_off()
    settings = ledgers(world.store).get(LEDGER).value
    world.settings(company=replace(settings.company, custom_numbers=False))
    assert "Switch on custom transaction numbers" in desk(world).act("blocking", {"pipeline": PIPELINE})[0]


def test_customers_need_no_mapping_where_they_are_made_with_their_first_invoice() -> None:
    world = switched_off()
    world.settings(creates_customers=True)
    world.add_deal(won=False, company_id="co-unmapped")
    assert desk(world).act("blocking", {"pipeline": PIPELINE}) == ()


def test_only_admins_and_finance_map() -> None:
    world = cash_world()
    with pytest.raises(ForbiddenError):
        desk(world, ANNA).act("settings", {})
    assert customer_matches(world.store, LEDGER).find(BUYING_COMPANY)


def test_an_unknown_action_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="customers, choices, permissions, settings"):
        desk(cash_world()).act("explode", {})


# -------------------------------------------------------------------------------------------------------- custom fields


def test_our_fields_travel_in_the_custom_fields_they_are_mapped_to() -> None:
    world = sold()
    mapped = {"custbody_deal": "deal.name", "custbody_contract": "contract.number"}
    desk(world).act("save", {"default_item": "1", "fields": mapped})
    world.wins()
    (row,) = world.books.rows()
    assert row.draft.fields == {"custbody_deal": "Globex rollout", "custbody_contract": "CT-1"}


def test_what_is_not_known_is_left_out_and_clears_nothing() -> None:
    world = sold()
    desk(world).act("save", {"default_item": "1", "fields": {"custbody_deal": "contact.title"}})
    world.wins()
    (row,) = world.books.rows()
    assert row.draft.fields == {}


@pytest.mark.parametrize("fields", [{"custbody_gone": "deal.name"}, {"custbody_deal": "deal.colour"}])
def test_a_mapping_to_a_field_that_is_not_there_is_refused_before_anything_is_written(fields: dict[str, str]) -> None:
    world = sold()
    before = world.settings()
    with pytest.raises(InputError, match=r"custbody_gone|deal\.colour"):
        desk(world).act("save", {"fields": fields})
    assert world.settings() == before


# ------------------------------------------------------------------------------------------------- customers, always


def test_new_companies_become_customers_there_with_the_daily_reading_where_that_is_wanted() -> None:
    world = sold()
    world.store.commit([Companies(world.store).creating(Company("co-new", "Initech"))])
    world.reconciles(thorough=True)
    assert world.books.calls["create_customer"] == 0
    world.settings(creates_always=True)
    world.reconciles(thorough=True)
    world.reconciles(thorough=True)
    assert world.books.calls["create_customer"] == 1
    assert customer_matches(world.store, LEDGER).get("co-new").value.state is MatchState.CREATED


def test_a_name_that_is_there_already_waits_for_a_person() -> None:
    world = sold()
    world.books.has_customer("Initech")
    world.store.commit([Companies(world.store).creating(Company("co-new", "Initech"))])
    world.settings(creates_always=True)
    world.reconciles(thorough=True)
    assert customer_matches(world.store, LEDGER).find("co-new") is None


def test_nothing_is_made_there_before_the_mapping_was_reviewed() -> None:
    world = sold()
    world.store.commit([Companies(world.store).creating(Company("co-new", "Initech"))])
    world.settings(creates_always=True, reviewed_at=None)
    world.reconciles(thorough=True)
    assert world.books.calls["create_customer"] == 0


# ---------------------------------------------------------------------------------------------------------- permissions


def test_the_page_shows_which_kinds_of_record_the_connection_may_not_read() -> None:
    assert desk(cash_world()).act("permissions", {}) == {"invoice": True, "customerRefund": False}

"""Records of somebody else: not read by a side door, and not changed by one (R2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.cash.deal import Step
from shared.domain.cash.told import PLAIN
from shared.domain.people import Role
from shared.records.cash import CashRecords
from shared.records.organizations import Organizations
from shared.records.people import Contacts
from tests.isolation.company import HOME, PEOPLE
from tests.isolation.doors import Stage
from tests.isolation.tries import BILL, LINES

REFUSALS = (403, 404)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Ben has a deal of his own; all others are the owner's."""
    stage = Stage().wire(monkeypatch)
    stage.founds(HOME)
    records = CashRecords(stage.store(HOME))
    deal = records.deals.get("d-1").value
    own = replace(deal, deal_id="d-ben", owner_id="u-ben", won_at=None, stage="negotiation", name="Ben's deal")
    stage.store(HOME).commit([records.deals.creating("d-ben", own)])
    return stage


def ask(stage: Stage, who: str, function: str, *, method: str = "POST", **request: Any) -> Any:
    return stage.asks(function, PEOPLE[who], HOME, method=method, **request)


def quote(deal: str = "d-ben", contact: str = "c-carla", **fields: Any) -> dict[str, Any]:
    return {"deal": deal, "contact": contact, "currency": "USD", "lines": LINES, "key": "request-1", **fields}


# ------------------------------------------------------------------------------------------------ quotes and contracts


def test_repeating_somebody_else_s_request_shows_nothing_of_what_it_made(stage: Stage) -> None:
    """Whoever guesses the key of a request is still asked whose deal it is."""
    assert ask(stage, "owner", "quote_write", json=quote("d-1")).status_code == 200
    assert ask(stage, "owner", "quote_write", json=quote("d-1")).status_code == 200
    assert ask(stage, "rep", "quote_write", json=quote("d-1")).status_code in REFUSALS

    ids = stage.companies[HOME].ids
    again = {"quote": ids["accepted quote"], "type": "msa", "key": "k-1"}
    assert ask(stage, "owner", "contract_write", json=again).status_code == 200
    assert ask(stage, "rep", "contract_write", json=again).status_code in REFUSALS


def test_a_quote_names_only_contacts_that_its_writer_may_see(stage: Stage) -> None:
    """Or its page would tell their name."""
    assert ask(stage, "rep", "quote_write", json=quote(contact="c-dora")).status_code == 404
    made = ask(stage, "rep", "quote_write", json=quote())
    assert made.status_code == 200
    change: dict[str, Any] = {"method": "PUT", "query_string": {"quote": made.get_json()["quote"]["quote_id"]}}
    assert ask(stage, "rep", "quote_write", json=quote(contact="c-dora"), **change).status_code == 404
    assert ask(stage, "rep", "quote_write", json=quote(contact="c-nobody"), **change).status_code == 404
    assert ask(stage, "rep", "quote_write", json=quote(), **change).status_code == 200


# -------------------------------------------------------------------------------------------------------- the timelines


def told_on(stage: Stage, who: str, **timeline: str) -> list[str]:
    answer = ask(stage, who, "timeline_read", method="GET", query_string=timeline)
    assert answer.status_code == 200
    return [entry["happening"]["sentence"] for entry in answer.get_json()["data"] if entry["happening"]]


@pytest.mark.parametrize("timeline", [{"company": "co-globex"}, {"contact": "c-carla"}])
def test_the_timeline_of_a_customer_tells_of_deals_that_the_reader_may_see(
    stage: Stage, timeline: dict[str, str]
) -> None:
    told = {who: told_on(stage, who, **timeline) for who in PEOPLE}
    assert "Contract CT-000001 is signed by everyone." in told["owner"]
    assert told["rep"] == told["other_manager"] == []
    assert told["manager"] == told["executive"] == told["admin"] == told["owner"]
    assert len(told["finance"]) == len(told["owner"])


def test_what_steps_say_of_the_ledger_has_a_plain_sentence_for_everybody_else() -> None:
    of_the_ledger = (
        "invoice.",
        "payment.",
        "credit.",
        "refund.",
        "deal.paid",
        "deal.partially_paid",
        "deal.open_again",
    )
    assert {step for step in Step if step.value.startswith(of_the_ledger)} == set(PLAIN)


# ----------------------------------------------------------------------------------------------------------- the import

DORA = b"Email,First name,Last name,Title,Owner\ndora@customer.example,Dorothea,Stolen,Boss,ben@acme.example\n"


def imports(stage: Stage, who: str, table: bytes = DORA, **query: str) -> dict[str, int]:
    answer = ask(stage, who, "contacts_import", data=table, query_string=query)
    assert answer.status_code == 200
    return {name: answer.get_json()[name] for name in ("new", "updated", "unchanged")}


def test_an_import_changes_no_contact_that_the_importer_may_not_see(stage: Stage) -> None:
    contacts = Contacts(stage.store(HOME))
    before = contacts.get("c-dora").contact
    assert imports(stage, "rep", dry_run="1") == {"new": 1, "updated": 0, "unchanged": 0}
    assert imports(stage, "rep") == {"new": 1, "updated": 0, "unchanged": 0}
    assert contacts.get("c-dora").contact == before
    assert imports(stage, "rep") == {"new": 0, "updated": 0, "unchanged": 1}
    named = [
        kept.contact for kept in contacts.page(after=None, limit=100) if "dora@customer.example" in kept.contact.emails
    ]
    assert {(contact.first_name, contact.owner_id) for contact in named} == {("Dora", "u-anna"), ("Dorothea", "u-ben")}


def test_an_import_meets_no_contact_by_the_id_that_a_row_makes(stage: Stage) -> None:
    """The owner imported the very same row before."""
    row = b"Email,First name,Last name,Owner\nnew@customer.example,New,Person,anna@acme.example\n"
    assert imports(stage, "owner", row)["new"] == 1
    other = row.replace(b"anna@", b"ben@").replace(b"Person", b"Thief")
    assert imports(stage, "rep", other)["new"] == 1
    assert imports(stage, "rep", other)["unchanged"] == 1
    phone = b"Phone,First name,Last name,Owner\n+1 212 555 0100,Only,Phone,anna@acme.example\n"
    assert imports(stage, "owner", phone)["new"] == 1
    assert imports(stage, "rep", phone.replace(b"anna@", b"ben@"))["new"] == 1
    assert imports(stage, "manager", phone)["unchanged"] == 1


def test_an_import_by_somebody_who_may_see_the_contact_updates_it(stage: Stage) -> None:
    assert imports(stage, "manager")["updated"] == 1
    assert Contacts(stage.store(HOME)).get("c-dora").contact.title == "Boss"


# ------------------------------------------------------------------------------------------------------------ invoices


def test_a_role_that_was_granted_invoices_makes_them_for_its_own_records(stage: Stage) -> None:
    """Finance makes them for everybody's; a grant opens invoices, not the deals and contacts of others."""
    organizations = Organizations(stage.store(HOME))
    known = organizations.stored()
    granted = replace(known.value, finance_roles=frozenset({Role.SALES_REP}))
    stage.store(HOME).commit([organizations.updating(granted, known.version)])
    ids = stage.companies[HOME].ids
    for source in ({"deal": "d-1"}, {"contract": ids["signed contract"]}, {"contact": "c-dora"}):
        proposed = ask(stage, "rep", "invoice_create", method="GET", query_string=source)
        assert proposed.status_code == 404, source
        assert ask(stage, "rep", "invoice_create", json={**BILL, **source}).status_code == 404, source
        for who in ("owner", "finance"):
            assert ask(stage, who, "invoice_create", method="GET", query_string=source).status_code == 200
    assert ask(stage, "rep", "invoice_create", method="GET", query_string={"deal": "d-ben"}).status_code == 200

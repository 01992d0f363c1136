"""From a won deal to its payment, through the doors of the real functions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared import wiring
from shared.domain.mailbox import Status
from shared.domain.outbox import promise
from shared.errors import ConnectionRevokedError
from shared.providers.call_record import CallRecord
from shared.records.connections import Connections
from shared.records.followups import Outbox
from shared.usecases.integration_log import CallLog
from shared.usecases.promises import keep_promise_tasks
from tests.cash_world import ANNA, BUYING_COMPANY, CONTRACT, CUSTOMER, DEAL, LEDGER, PIPELINE, CashWorld, worked_example
from tests.functions.ledger_doors import CONNECTION, Doors, cloud_event

NETSUITE_KEYS = {
    "way": "oauth2_client_credentials",
    "account_id": "9876543-sb1",
    "client_id": "client",
    "certificate_id": "certificate",
    "private_key": "-----BEGIN PRIVATE KEY-----",
    "company_name": "Acme Books",
    "currency": "USD",
    "time_zone": "America/New_York",
}


@pytest.fixture
def world() -> CashWorld:
    return worked_example()


@pytest.fixture
def doors(world: CashWorld, monkeypatch: pytest.MonkeyPatch) -> Doors:
    return Doors(world, monkeypatch)


def won(doors: Doors) -> list[str]:
    """What `deal_won` leaves behind, worked on to its end."""
    world = doors.world
    invoicing = promise("invoice_trigger", {"tenant": "acme", "deal": DEAL}, world.clock.now(), CONTRACT)
    world.store.commit([Outbox(world.store).creating(invoicing)])
    world.tasks.create(keep_promise_tasks([invoicing]))
    return doors.drain()


def test_a_won_deal_is_invoiced_sent_paid_and_read(world: CashWorld, doors: Doors) -> None:
    world.settings(sends_invoices=True)
    assert won(doors) == ["invoice_trigger", "invoice_push", "invoice_send"]
    invoice = world.mirror().invoice.invoice_id
    doors.notices(json.dumps([cloud_event("payment", world.books.pays(invoice, 2_268_000))]).encode())
    assert doors.drain() == ["payment_sync"]
    shown = doors.get("invoices_read", deal=DEAL)["data"]
    assert shown["money"][0]["paid"] == {"minor": 2_268_000, "currency": "USD"}
    assert shown["invoices"][0]["conflicts"] == []


def test_the_daily_run_and_the_poll_read_the_ledger(world: CashWorld, doors: Doors) -> None:
    won(doors)
    world.books.pays(world.mirror().invoice.invoice_id, 100)
    assert doors.schedule("ledger_reconcile") == 204
    assert doors.drain()[:2] == ["ledger_read", "payment_sync"]
    world.settings(has_notices=False)
    world.passes(minutes=5)
    assert doors.schedule("netsuite_poll") == 204
    assert doors.drain()[0] == "ledger_read"


def test_an_invoice_by_hand_is_shown_and_then_made(world: CashWorld, doors: Doors) -> None:
    shown = doors.get("invoice_create", deal=DEAL)["data"]
    lines = [{"description": "Workshop", "quantity": "2", "unit_price": "450.00"}]
    asked = {"deal": DEAL, "key": shown["source"]["key"], "currency": "USD", "lines": lines, "tax_percent": "8"}
    intent = doors.post("invoice_create", asked)["intent"]
    assert doors.drain() == ["invoice_push"]
    assert world.records.intents.get(intent).value.number == shown["number"]
    assert (
        doors.post("invoice_create", {**asked, "lines": []})
        == f"Quote {shown['number']} has no lines; add at least one."
    )


def test_what_stopped_is_mended_on_the_mapping_page_and_tried_again(world: CashWorld, doors: Doors) -> None:
    world.unmaps()
    won(doors)
    decided = {**CONNECTION, "action": "decide", "key": BUYING_COMPANY, "decision": "override", "customer": CUSTOMER}
    assert doors.post("ledger_mapping", decided)["data"]["customer_id"] == CUSTOMER
    assert doors.post("invoice_control", {"action": "retry", "intent": world.intent().intent_id}) == 204
    assert doors.drain() == ["invoice_push"]
    assert len(world.books.invoices()) == 1


@pytest.mark.parametrize("action", ["customers", "choices", "settings", "unmatched"])
def test_the_mapping_page_reads(doors: Doors, action: str) -> None:
    assert "data" in doors.get("ledger_mapping", action=action, **CONNECTION)


def test_the_switch_says_what_blocks_it(world: CashWorld, doors: Doors) -> None:
    world.settings(reviewed_at=None)
    world.pipeline(invoices_on_win=False)
    switch = {**CONNECTION, "action": "switch", "pipeline": PIPELINE, "on": True}
    assert "Review the customer mapping once." in doors.post("ledger_mapping", switch)
    doors.post("ledger_mapping", {**CONNECTION, "action": "reviewed"})
    assert doors.post("ledger_mapping", switch) == {"data": {"on": True}}


def test_a_reconcile_on_demand_is_one_task(doors: Doors) -> None:
    for _ in range(2):
        doors.post("ledger_mapping", {**CONNECTION, "action": "reconcile"})
    assert doors.drain() == ["ledger_read"]


def test_netsuite_is_connected_with_keys(doors: Doors) -> None:
    connection = doors.post("ledger_connect", NETSUITE_KEYS)["connection"]
    assert connection != LEDGER
    assert doors.drain() == ["ledger_open"]
    assert doors.get("ledger_mapping", action="settings", connection=connection)["data"]["provider"] == "netsuite"
    missing = {**NETSUITE_KEYS, "private_key": ""}
    assert doors.post("ledger_connect", missing) == "Enter the Private key (PEM)."


def test_a_person_voids_and_settles_edits(world: CashWorld, doors: Doors) -> None:
    won(doors)
    key = world.mirror().key
    assert "Nobody edited" in doors.post("invoice_control", {"action": "detach", "invoice": key})
    assert doors.post("invoice_control", {"action": "send", "intent": world.intent().intent_id}) == 204
    assert doors.post("invoice_control", {"action": "void", "invoice": key, "reason": "ordered twice"}) == 204
    assert world.mirror().invoice.status == "void"


def test_a_sales_rep_reads_the_own_deal_and_nothing_of_the_ledger(doors: Doors) -> None:
    doors.user = ANNA
    assert "data" in doors.get("invoices_read", deal=DEAL)
    for answer in (
        doors.get("ledger_mapping", action="settings", **CONNECTION),
        doors.get("integration_log_read", **CONNECTION),
        doors.get("invoice_create", deal=DEAL),
        doors.post("ledger_connect", NETSUITE_KEYS),
        doors.post("invoice_control", {"action": "retry", "intent": "i-1"}),
    ):
        assert str(answer).startswith("You may not do this.")


def test_a_vendors_calls_are_read_in_the_log(world: CashWorld, doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "_call_log", lambda _: CallLog(world.store))
    call = CallRecord("quickbooks", "invoice.created", "6140", 400, world.clock.now(), 0.3, "tid-7")
    wiring.reporter("acme", LEDGER)(call)
    (shown,) = doors.get("integration_log_read", **CONNECTION)["data"]
    assert (shown["purpose"], shown["result"], shown["trace_id"]) == ("invoice.created", "6140", "tid-7")


def test_a_connection_that_waits_for_a_person_is_not_called(world: CashWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "store", lambda _: world.store)
    stored = Connections(world.store).get(LEDGER)
    broken = replace(stored.value, status=Status.RECONNECT_NEEDED)
    world.store.commit([Connections(world.store).updating(broken, stored.version)])
    with pytest.raises(ConnectionRevokedError):
        wiring.open_ledger("acme")(LEDGER)


def test_names_are_compared_without_regard_to_the_order_of_words() -> None:
    names = ["corporation globex", "initech", "globex"]
    assert wiring.similar_names("globex corporation", names, 2)[0] == (0, 100.0)

"""Intuit's notices at the function's door: proven over their raw bytes, stored, queued, answered (I21, I25)."""

from __future__ import annotations

import json

import pytest

from shared import wiring
from shared.domain.cash.deal import Step
from shared.domain.cash.deal_money import DealMoneyState
from tests.cash_world import DEAL, CashWorld, sold
from tests.functions.ledger_doors import Doors, cloud_event, older
from tests.memory_documents import MemoryDocuments

REAL_NOTICE_KEYS = wiring.notice_keys


@pytest.fixture
def world() -> CashWorld:
    world = sold()
    world.wins()
    return world


@pytest.fixture
def doors(world: CashWorld, monkeypatch: pytest.MonkeyPatch) -> Doors:
    return Doors(world, monkeypatch)


def deliveries(world: CashWorld) -> int:
    assert isinstance(world.documents, MemoryDocuments)
    return sum("/deliveries/" in path for path in world.documents.paths())


@pytest.mark.parametrize("format_", ["cloud events", "older"])
def test_a_payment_is_told_and_shows_on_the_deal(world: CashWorld, doors: Doors, format_: str) -> None:
    payment = world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    told = [cloud_event("payment", payment)] if format_ == "cloud events" else older("Payment", payment)
    body = json.dumps(told).encode()
    assert [doors.notices(body), doors.notices(body)] == [204, 204]
    assert deliveries(world) == 1
    assert doors.drain() == ["payment_sync"]
    assert world.records.standings.get(DEAL).value.state is DealMoneyState.PAID
    assert Step.PAYMENT_RECEIVED in world.steps()


@pytest.mark.parametrize("signature", ["", "bm90IHRoZSBwcm9vZg=="])
def test_a_wrong_or_missing_proof_is_401_and_nothing_is_stored(world: CashWorld, doors: Doors, signature: str) -> None:
    body = json.dumps([cloud_event("payment", "1")]).encode()
    assert doors.notices(body, signature=signature) == 401
    assert deliveries(world) == 0
    assert not world.queue.pending()


def test_without_a_registered_app_no_notice_can_be_proven(
    world: CashWorld, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "notice_keys", REAL_NOTICE_KEYS)
    monkeypatch.delenv("QUICKBOOKS_OAUTH_CLIENT", raising=False)
    assert doors.notices(json.dumps([cloud_event("payment", "1")]).encode()) == 401
    assert deliveries(world) == 0


def test_the_proof_covers_the_raw_bytes(world: CashWorld, doors: Doors) -> None:
    body = json.dumps([cloud_event("payment", "1")], indent=2).encode()
    assert doors.notices(body) == 204
    assert deliveries(world) == 1


def test_a_company_nobody_connected_is_not_ours(world: CashWorld, doors: Doors) -> None:
    body = json.dumps([cloud_event("invoice", "1", realm="4620816365000000000")]).encode()
    assert doors.notices(body) == 204
    assert deliveries(world) == 0


def test_what_nobody_can_read_is_parked(world: CashWorld, doors: Doors) -> None:
    assert doors.notices(b"<xml/>") == 202
    assert len(doors.parked) == 1


def test_a_store_that_is_out_asks_intuit_to_come_again(world: CashWorld, doors: Doors) -> None:
    assert isinstance(world.documents, MemoryDocuments)
    body = json.dumps([cloud_event("payment", "1")]).encode()
    world.documents.down = True
    assert doors.notices(body) == 503
    world.documents.down = False
    assert doors.notices(body) == 204
    assert len(world.queue.pending("payment-sync")) == 1

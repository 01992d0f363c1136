"""Knowing what changed in a company without having been told."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.cash.accounting import RecordKind
from tests.providers.quickbooks.world import REALM, World


def test_everything_that_changed_is_told_deletions_included(world: World) -> None:
    since = world.clock.now() - timedelta(minutes=5)
    invoice = world.invoice()
    paid = world.bookkeeper("pay", invoice=invoice.invoice_id)
    memo = world.bookkeeper("credit", invoice=invoice.invoice_id, amount="1.00", apply=False)
    refund = world.bookkeeper("refund", customer=invoice.customer_id, amount="1.00")
    world.bookkeeper("bounce", payment=paid["Id"], by="delete")

    page = world.ledger.changes_since(since)
    told = {(change.kind, change.id, change.deleted) for change in page.changes}
    assert told == {
        (RecordKind.CUSTOMER, invoice.customer_id, False),
        (RecordKind.INVOICE, invoice.invoice_id, False),
        (RecordKind.PAYMENT, paid["Id"], True),
        (RecordKind.CREDIT_MEMO, memo["Id"], False),
        (RecordKind.REFUND, refund["Id"], False),
    }
    assert {change.company_id for change in page.changes} == {REALM}
    assert all(change.changed_at.utcoffset() == timedelta(0) for change in page.changes)


def test_the_next_read_overlaps_this_one_by_a_minute(world: World) -> None:
    world.clock.advance(3600)  # our clock is ahead: QuickBooks' own counts
    page = world.ledger.changes_since(world.clock.now() - timedelta(days=1))
    assert timedelta(seconds=60) <= world.simulator.clock() - page.complete_until < timedelta(seconds=90)


def test_the_same_change_has_the_same_id_when_it_is_told_again(world: World) -> None:
    since = world.clock.now() - timedelta(minutes=5)
    world.invoice()
    assert world.ledger.changes_since(since).changes == world.ledger.changes_since(since).changes
    assert world.ledger.changes_since(world.clock.now() + timedelta(minutes=5)).changes == ()


def test_more_changes_than_are_told_at_once_are_listed(world: World) -> None:
    since = world.clock.now() - timedelta(minutes=5)
    with world.simulator.lock:
        for number in range(1005):
            world.simulator.companies[REALM].create("Customer", {"DisplayName": f"Company {number}"})
    changed = {change.id for change in world.ledger.changes_since(since).changes}
    assert len(changed) == 1005


def test_longer_ago_than_quickbooks_remembers_everything_is_listed(world: World) -> None:
    invoice = world.invoice()
    page = world.ledger.changes_since(world.clock.now() - timedelta(days=200))
    assert (RecordKind.INVOICE, invoice.invoice_id) in {(change.kind, change.id) for change in page.changes}
    assert "changes.read" not in world.purposes()

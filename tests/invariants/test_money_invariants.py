"""Invoices that are made twice, payments that go back in time, tokens that are lost: I23 to I26, I15 and I32."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.cash.accounting import InvoiceStatus, LedgerChange, RecordKind
from shared.domain.cash.deal import Step
from shared.domain.cash.intent import IntentState
from shared.domain.connection import Credentials
from shared.domain.mailbox import Status
from shared.errors import (
    ConnectionRevokedError,
    ContendedError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.ports.documents import Delete, Query
from shared.records.connections import Connections
from shared.usecases.access_token import REFRESH_TOKEN, access_token
from shared.usecases.cash.decide_invoice import retry_invoice
from shared.usecases.cash.plan_invoices import plan_invoices
from shared.usecases.cash.push_invoice import push_invoice
from shared.usecases.cash.review_mapping import switch_invoicing
from shared.usecases.cash.sync_ledger_record import sync_ledger_record
from tests.cash_schedules import RotatingAuthorization
from tests.cash_world import DEAL, FIONA, LEDGER, PIPELINE, CashWorld, sold, usd


def push(world: CashWorld) -> None:
    push_invoice(
        world.store,
        world.intent().intent_id,
        open_ledger=world.open_ledger,
        tasks=world.tasks,
        clock=world.clock,
        chance=world.chance,
        jitter=world.jitter,
    )


def planned() -> CashWorld:
    world = sold()
    plan_invoices(world.store, DEAL, tasks=world.tasks, clock=world.clock)
    return world


def invoiced() -> CashWorld:
    world = sold()
    world.wins()
    world.books.notices.clear()
    return world


def read_again(world: CashWorld, kind: RecordKind = RecordKind.INVOICE, id_: str = "") -> None:
    change = LedgerChange(kind, id_ or world.mirror().invoice.invoice_id, world.clock.now())
    sync_ledger_record(
        world.store, LEDGER, change, ledger=world.ledger, tasks=world.tasks, clock=world.clock, jitter=world.jitter
    )


# ------------------------------------------------------------------------------------- I23: at most one invoice, ever


def test_i23_a_deal_that_is_won_again_and_again_has_one_invoice() -> None:
    world = sold()
    for _ in range(3):
        world.wins()
    assert len(world.books.invoices()) == 1
    assert world.steps().count(Step.INVOICE_CREATED) == 1


@pytest.mark.parametrize("ledger_keeps_keys", [True, False])
def test_i23_an_answer_that_was_lost_is_looked_up_before_anything_is_repeated(ledger_keeps_keys: bool) -> None:
    world = planned()
    world.books.idempotent = ledger_keeps_keys
    world.books.lost_replies = 1
    world.drain(redeliver=True)
    assert len(world.books.invoices()) == 1
    assert world.books.calls["create_invoice"] == 1
    assert world.books.calls["find_invoice"] == 1
    assert world.intent().state is IntentState.CREATED


def test_i23_a_call_nobody_waits_for_any_more_meets_its_own_invoice() -> None:
    """The look-up finds nothing, the repeat is made, and only then the first call arrives at the ledger."""
    world = planned()
    world.books.late = 1
    world.drain(redeliver=True)
    world.books.land()
    assert world.books.calls["create_invoice"] == 2
    assert len(world.books.invoices()) == 1


def test_i23_an_invoice_that_lands_after_it_was_given_up_is_adopted() -> None:
    world = planned()
    world.books.late = 1
    with pytest.raises(ProviderUnavailableError):
        push(world)
    world.books.refusing = ["The item is not active."]
    world.drain(redeliver=True)
    assert world.intent().state is IntentState.STOPPED
    world.books.land()
    world.hears_all()
    world.sweeps()
    assert world.intent().state is IntentState.CREATED
    assert len(world.books.invoices()) == 1


def test_i23_a_person_who_tries_again_adopts_what_was_made() -> None:
    world = planned()
    world.books.late = 1
    with pytest.raises(ProviderUnavailableError):
        push(world)
    world.books.refusing = ["The item is not active."]
    world.drain(redeliver=True)
    world.books.land()
    retry_invoice(
        world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter
    )
    world.drain(redeliver=True)
    assert [invoice.invoice_id for invoice in world.books.invoices()] == [world.intent().invoice_id]


def test_i23_of_two_workers_at_once_one_works() -> None:
    world = planned()
    refused = []

    def second_worker(method: str) -> None:
        if method == "create_invoice":
            try:
                push(world)
            except RateLimitedError as busy:
                refused.append(busy)

    world.books.on_call = second_worker
    push(world)
    assert len(refused) == 1
    assert len(world.books.invoices()) == 1


def test_i23_a_worker_that_comes_back_from_the_dead_writes_nothing() -> None:
    """Its lease ran out in the middle of the call, and another finished the work."""
    world = planned()
    interrupted = [True]

    def meanwhile(method: str) -> None:
        if method == "create_invoice" and interrupted and interrupted.pop():
            world.passes(seconds=120)
            push(world)

    world.books.on_call = meanwhile
    with pytest.raises(ContendedError):
        push(world)
    assert len(world.books.invoices()) == 1
    assert world.intent().state is IntentState.CREATED
    assert world.steps().count(Step.INVOICE_CREATED) == 1


def test_i23_another_invoice_with_our_number_is_not_taken_for_ours() -> None:
    world = planned()
    world.books.lost_replies = 1
    with pytest.raises(ProviderUnavailableError):
        push(world)
    stranger = world.books.rows()[0]
    stranger.invoice = replace(stranger.invoice, external_id="somebody-elses")
    push(world)
    assert world.intent().state is IntentState.STOPPED
    assert "Another invoice in the ledger has the number" in world.intent().reason


def test_i23_a_deleted_invoice_is_not_made_anew() -> None:
    world = invoiced()
    world.books.deletes(world.mirror().invoice.invoice_id)
    world.hears_all()
    world.wins()
    world.reconciles(thorough=True)
    assert not world.books.invoices()
    assert world.mirror().invoice.status is InvoiceStatus.DELETED


def test_i23_lost_tasks_are_brought_back_by_the_reconcile_alone() -> None:
    world = planned()
    world.queue.lose()
    promised = world.store.find(Query("outbox"))
    world.store.commit([Delete(document.path) for document in promised])
    world.passes(minutes=16)
    world.reconciles()
    assert len(world.books.invoices()) == 1


# -------------------------------------------------------------------- I24: forward in versions, never in status alone


def test_i24_a_late_notice_of_an_older_state_changes_nothing() -> None:
    world = invoiced()
    invoice = world.mirror().invoice.invoice_id
    world.books.pays(invoice, 4_000)
    early = list(world.books.notices)
    world.books.pays(invoice, 6_000)
    world.hears_all()
    paid = world.mirror().invoice
    world.hears(*early)
    world.drain()
    assert world.mirror().invoice == paid
    assert world.steps().count(Step.DEAL_PAID) == 1


def test_i24_an_answer_older_than_what_is_known_is_not_believed() -> None:
    """A replica of the ledger answers with the invoice as it was before the payment."""
    world = invoiced()
    before = world.books.rows()[0].invoice
    world.books.pays(before.invoice_id, 10_000)
    world.hears_all()
    row = world.books.rows()[0]
    now, row.invoice = row.invoice, before
    read_again(world)
    assert world.mirror().invoice == now


def test_i24_a_newer_version_is_believed_also_when_it_says_unpaid() -> None:
    world = invoiced()
    payment = world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    world.hears_all()
    assert world.mirror().invoice.status is InvoiceStatus.PAID
    world.books.bounces(payment)
    world.hears_all()
    assert world.mirror().invoice.status is InvoiceStatus.OPEN
    assert world.steps()[-1] is Step.DEAL_OPEN_AGAIN


def test_i24_two_readers_write_in_the_order_in_which_the_ledger_answered() -> None:
    """One reads unpaid and is slow; the other reads paid and writes first. Of one version for both, paid stays."""
    world = invoiced()
    row = world.books.rows()[0]
    version = row.invoice.version
    slow = [True]

    def in_between() -> None:
        world.books.pays(row.invoice.invoice_id, 10_000)
        paid = world.books.rows()[0]
        paid.invoice = replace(paid.invoice, version=version)
        read_again(world)

    original = world.books.invoice

    def slow_reading(invoice_id: str) -> object:
        answer = original(invoice_id)
        if slow and slow.pop():
            in_between()
        return answer

    world.books.invoice = slow_reading  # type: ignore[assignment, method-assign]  # the answer travels slowly, once
    world.books.edits(row.invoice.invoice_id, due_on=world.clock.now().date())
    changed = world.books.rows()[0]
    changed.invoice = replace(changed.invoice, version=version)
    read_again(world)
    assert world.mirror().invoice.status is InvoiceStatus.PAID


def test_i24_a_notice_that_comes_while_the_invoice_is_being_made_is_not_lost() -> None:
    """The customer pays within the second; the webhook is there before the creation's answer."""
    world = planned()
    original = world.books.create_invoice
    world.books.lost_replies = 0

    def paid_at_once(draft: object, key: str) -> object:
        made = original(draft, key)  # type: ignore[arg-type]  # as handed in
        world.books.pays(made.invoice_id, 10_000)
        world.hears(*world.books.notices)
        world.books.notices.clear()
        for task in world.queue.due("payment-sync"):
            world.run(task)
            world.queue.done(task)
        return made

    world.books.create_invoice = paid_at_once  # type: ignore[assignment, method-assign]  # with a customer in a hurry
    world.drain(redeliver=True)
    assert world.mirror().invoice.status is InvoiceStatus.PAID
    assert Step.DEAL_PAID in world.steps()


def test_i24_a_lost_webhook_is_made_good_by_the_reconcile() -> None:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    world.books.notices.clear()
    world.passes(hours=20)
    world.reconciles()
    assert world.mirror().invoice.status is InvoiceStatus.PAID


# --------------------------------------------------------------------------------------- I25: answered within a blink


def test_i25_a_notice_is_stored_and_queued_and_nothing_else() -> None:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    world.books.calls.clear()
    before = world.mirror()
    world.hears(*world.books.notices)
    assert not world.books.calls
    assert world.mirror() == before
    assert len(world.queue.pending("payment-sync")) == 1


def test_i25_a_queue_that_is_down_refuses_the_notice_and_the_next_delivery_is_enough() -> None:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    told = list(world.books.notices)
    world.queue.down = True
    with pytest.raises(ProviderUnavailableError):
        world.hears(*told)
    world.queue.down = False
    world.hears(*told)
    world.drain()
    assert world.mirror().invoice.status is InvoiceStatus.PAID


# ------------------------------------------------------------------------- I15, I26: one refresh at a time, one notice


def rotating() -> tuple[CashWorld, RotatingAuthorization]:
    world = sold()
    vendor = RotatingAuthorization(world.clock)
    world.authorization = vendor
    sealed = world.vault.seal(LEDGER, REFRESH_TOKEN, b"refresh-0")
    world.store.commit([Connections(world.store).writing_credentials(LEDGER, Credentials(sealed), None)])
    return world, vendor


def test_i26_two_workers_refresh_once_and_the_newest_token_is_kept() -> None:
    world, vendor = rotating()
    seen = []

    def second_worker() -> None:
        try:
            seen.append(access_token(world.credit, LEDGER))
        except RateLimitedError as busy:
            seen.append(type(busy).__name__)

    vendor.on_refresh = second_worker
    assert access_token(world.credit, LEDGER) == "access-1"
    assert seen == ["RateLimitedError"]
    world.passes(hours=2)
    vendor.on_refresh = lambda: None
    assert access_token(world.credit, LEDGER) == "access-2"
    assert not vendor.ended


def test_i15_a_dead_grant_is_said_once_and_stops_the_work() -> None:
    world, vendor = rotating()
    vendor.ended = True
    for _ in range(2):
        with pytest.raises(ConnectionRevokedError):
            access_token(world.credit, LEDGER)
    connection = Connections(world.store).get(LEDGER).value
    assert (connection.status, connection.problem) == (Status.RECONNECT_NEEDED, "grant_gone")


# ------------------------------------------------------------------------------------- I32: the past is not invoiced


def test_i32_switching_on_invoices_nothing_that_was_won_before() -> None:
    world = sold()
    world.pipeline(invoices_on_win=False, invoices_since=None)
    world.passes(days=1)
    switch_invoicing(world.store, PIPELINE, True, FIONA, clock=world.clock, jitter=world.jitter)
    world.wins()
    assert not world.intents()
    assert not world.books.invoices()


def test_i32_switching_off_and_on_again_does_not_bill_what_was_won_in_between() -> None:
    world = sold()
    stored = world.records.deals.get(DEAL)
    switch_invoicing(world.store, PIPELINE, False, FIONA, clock=world.clock, jitter=world.jitter)
    world.passes(days=2)
    won = replace(stored.value, won_at=world.clock.now() - timedelta(days=1))
    world.store.commit([world.records.deals.updating(DEAL, won, stored.version)])
    switch_invoicing(world.store, PIPELINE, True, FIONA, clock=world.clock, jitter=world.jitter)
    world.wins()
    assert not world.books.invoices()


def test_i32_the_first_deal_after_the_switch_is_invoiced() -> None:
    world = sold()
    assert world.records.pipelines.get(PIPELINE).value.invoices_on_win
    world.wins()
    assert [invoice.total for invoice in world.books.invoices()] == [usd("100.00")]

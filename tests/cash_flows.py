"""The ways of invoices and payments through the product, for the crash harness.

What a queue, the sweep and the reconcile would do later is part of every run, so a flow ends when nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.domain.cash.accounting import PaymentKind
from shared.domain.cash.ledger_settings import CustomRecord
from shared.domain.cash.quote import Due, Instalment
from shared.domain.people import Company, Role
from shared.errors import AdminActionError, InputError
from shared.ports.documents import Query
from shared.ports.oauth import Grant
from shared.records.cash import CHAIN_STEP
from shared.records.connections import Connections
from shared.records.ledgers import customer_matches, ledgers
from shared.records.organizations import Organizations
from shared.records.people import Companies, Contacts
from shared.usecases.cash.connect_ledger import connect_by_keys, tend_connection
from shared.usecases.cash.create_invoice import Reviewed, Source, create_invoice
from shared.usecases.cash.decide_invoice import Choice, ask_to_send, resolve_conflict, retry_invoice, void_invoice
from shared.usecases.cash.finance import grant_finance
from shared.usecases.cash.map_ledger import MappingDesk
from shared.usecases.cash.plan_invoices import plan_invoices
from shared.usecases.cash.read_ledger import read_ledgers
from tests.cash_world import (
    ADA,
    BUYER,
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
from tests.crash import Flow
from tests.crash_flows import FunctionFlow

LATER_S = 400
"""A lease is over, and the sweep finds what was promised."""

HALVES = (Instalment(1, percent=Decimal(50)), Instalment(2, Due.DAYS_AFTER, percent=Decimal(50), days=10))


def flow(name: str, *functions: str, build: Callable[[], CashWorld], run: Callable[[CashWorld], None]) -> FunctionFlow:
    def whole(world: CashWorld) -> None:
        run(world)
        settle(world)

    return FunctionFlow(frozenset(functions), Flow(name, build, whole, end_state, later))


def later(world: CashWorld) -> None:
    world.time.advance(LATER_S)


def settle(world: CashWorld) -> None:
    """Queues, sweeps and a reconcile, until nothing is left."""
    world.drain(redeliver=True)
    for _ in range(3):
        world.time.advance(LATER_S)
        world.sweeps()
    world.time.advance(900)
    world.reconciles()


def end_state(world: CashWorld) -> dict[str, Any]:
    """What people see on both sides, and that nothing is left undone."""
    store = world.store
    deals = [kept.value.deal_id for kept in world.records.deals.where(())]
    steps = [found for deal in deals for found in store.find(Query(f"opportunities/{deal}/chain"))]
    told = [CHAIN_STEP.value(document.fields) for document in steps]
    matches = customer_matches(store, LEDGER).where(())
    return {
        "books": sorted(
            (row.number, row.customer_id, str(row.total), str(row.balance), row.status, row.emailed)
            for row in world.books.invoices()
        ),
        "mailed": sorted(world.books.sent),
        "records": sorted((*key, *sorted(fields.items())) for key, fields in world.books.records.items()),
        "intents": sorted((kept.number, kept.state, kept.reason) for kept in world.intents()),
        "numbered": sorted((kept.record_number, kept.invoice_id is not None) for kept in world.intents()),
        "mirrors": sorted((kept.invoice.number, kept.invoice.version, str(kept.conflicts)) for kept in world.mirrors()),
        "payments": sorted(
            (kept.value.payment.payment_id, kept.value.payment.version, kept.value.deal_ids)
            for kept in world.records.payments.where(())
        ),
        "standings": sorted((kept.value.deal_id, kept.value.state) for kept in world.records.standings.where(())),
        "chain": sorted((step.step, step.sentence) for step in told),
        "timelines": world.timelines(),
        "customers": sorted((kept.value.key, kept.value.state, str(kept.value.customer_id)) for kept in matches),
        "company": Companies(store).get(BUYING_COMPANY).name,
        "contact": str(Contacts(store).get(BUYER).contact),
        "ledgers": sorted(
            (kept.value.connection_id, kept.value.default_item or "", kept.value.reviewed_at is not None)
            for kept in ledgers(store).where(())
        ),
        "connections": sorted((kept.connection_id, kept.status) for kept in Connections(store).all()),
        "granted": sorted(Organizations(store).get().finance_roles),
        "switched": [kept.value.invoices_on_win for kept in world.records.pipelines.where(())],
        "promised": len(store.find(Query("outbox"))),
        "queued": len(world.queue.pending()),
    }


# ---------------------------------------------------------------------------------------------------------- the flows


def two_halves() -> CashWorld:
    return sold(line(3, "99.99"), tax=8, schedule=HALVES)


def plan(world: CashWorld) -> None:
    plan_invoices(world.store, "d-1", tasks=world.tasks, clock=world.clock)


def plan_both_halves(world: CashWorld) -> None:
    plan(world)
    world.drain(redeliver=True)
    world.time.set(max(world.time.now(), world.records.deals.get("d-1").value.won_at or world.time.now()))
    world.passes(days=11)
    world.sweeps()


def sent_by_itself() -> CashWorld:
    world = sold(tax=8)
    world.settings(sends_invoices=True)
    return world


def with_a_record_of_its_own() -> CashWorld:
    world = sold(tax=8)
    fields = {"custrecord_contract": "contract.number"}
    world.settings(records=(CustomRecord("customrecord_project", fields),))
    return world


def off_by_a_cent() -> CashWorld:
    world = sold(tax=8)
    world.books.cents_off = 1
    return world


def invoiced() -> CashWorld:
    world = sold(line(1, "100.00"), tax=8)
    world.wins()
    world.hears_all()
    return world


def paid_in_two_parts() -> CashWorld:
    """Notices of both payments and of one that bounced are waiting, newest first and doubled."""
    world = invoiced()
    invoice = world.mirror().invoice.invoice_id
    world.books.pays(invoice, 4_000)
    bounced = world.books.pays(invoice, 6_800)
    world.books.bounces(bounced)
    world.books.notices = [*reversed(world.books.notices), *world.books.notices]
    return world


def hear(world: CashWorld) -> None:
    for change in world.books.notices:
        world.hears(change)


def moved_payment() -> CashWorld:
    """A payment that was on one invoice was put on another; only the payment's own notice arrives."""
    world = sold(line(1, "200.00"), schedule=(Instalment(1, percent=Decimal(50)), Instalment(2, percent=Decimal(50))))
    world.wins()
    world.hears_all()
    first, second = sorted(mirror.invoice.invoice_id for mirror in world.mirrors())
    payment = world.books.pays(first, 10_000)
    world.hears_all()
    world.books.unapplies(payment, to={second: 10_000})
    told = world.books.notices[-1:]
    world.books.forget_changes()  # no reconcile makes good what the notice alone must bring about
    world.books.notices = told
    return world


def reconciled(world: CashWorld) -> None:
    """Every notice was lost."""
    world.books.notices.clear()
    read_ledgers(world.documents, tasks=world.tasks, clock=world.clock, slot=world.clock.now(), thorough=True)


def credited() -> CashWorld:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 2_000, kind=PaymentKind.CREDIT_MEMO)
    world.books.enters(PaymentKind.REFUND, 500, {}, CUSTOMER)
    return world


def poll(world: CashWorld) -> None:
    read_ledgers(world.documents, tasks=world.tasks, clock=world.clock, slot=world.clock.now(), thorough=False)


def without_notices() -> CashWorld:
    world = credited()
    world.settings(has_notices=False)
    return world


def not_mapped() -> CashWorld:
    world = sold(tax=8)
    world.unmaps()
    world.wins()
    return world


def map_and_retry(world: CashWorld) -> None:
    desk(world).act("decide", {"key": BUYING_COMPANY, "decision": "override", "customer": CUSTOMER})
    try:
        retry_invoice(
            world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter
        )
    except InputError:  # it was tried again before the crash
        return


def desk(world: CashWorld, connection_id: str = LEDGER) -> MappingDesk:
    return MappingDesk(
        world.store,
        connection_id,
        FIONA,
        open_ledger=world.open_ledger,
        similar=lambda *_: [],
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
        waiting_ledger=world.any_ledger,
    )


def not_reviewed() -> CashWorld:
    world = cash_world()
    world.settings(reviewed_at=None, default_item=None, run_at=None)
    world.pipeline(invoices_on_win=False, invoices_since=None)
    return world


def map_and_switch(world: CashWorld) -> None:
    at_desk = desk(world)
    at_desk.act("decide", {"key": "co-new", "decision": "reject"})
    at_desk.act("save", {"default_item": "2"})
    at_desk.act("reviewed", {})
    at_desk.act("run", {"pipeline": PIPELINE})
    at_desk.act("switch", {"pipeline": PIPELINE, "on": True})
    at_desk.act("reconcile", {})


def create_by_hand(world: CashWorld) -> None:
    reviewed = Reviewed((line(2, "80.00"),), "USD", tax_percent=Decimal(8), sends=True)
    source = Source(key="shown-once", deal_id="d-1")
    create_invoice(world.store, source, reviewed, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter)


def send_by_hand(world: CashWorld) -> None:
    ask_to_send(world.store, world.intent().intent_id, FIONA, tasks=world.tasks, clock=world.clock)


def void(world: CashWorld) -> None:
    void_invoice(
        world.store,
        world.mirror().key,
        "ordered twice",
        FIONA,
        open_ledger=world.open_ledger,
        clock=world.clock,
        jitter=world.jitter,
    )


def edited() -> CashWorld:
    world = invoiced()
    world.books.edits(world.mirror().invoice.invoice_id, whole=usd("90.00"))
    world.hears_all()
    return world


def push_ours(world: CashWorld) -> None:
    resolve_conflict(
        world.store,
        world.mirror().key,
        Choice.PUSH_OURS,
        FIONA,
        open_ledger=world.open_ledger,
        clock=world.clock,
        jitter=world.jitter,
    )


def connect(world: CashWorld) -> None:
    now = world.clock.now()
    keys = Grant("Acme Books", "9876543", None, frozenset(), "", now, "sealed keys", hard_end_at=now)
    id_ = connect_by_keys(world.credit, provider="netsuite", user_id=FIONA.user_id, grant=keys, tasks=world.tasks)
    world.drain(redeliver=True)
    tend_connection(replace(world.credit, authorization=world.authorization), id_)


def customer_changed() -> CashWorld:
    """A company's name and a contact's address and number were changed in the ledger; its notices wait."""
    world = cash_world()
    world.books.has_customer("Carla Buyer", customer_id="77", email="carla@globex.example")
    decide = desk(world)
    decide.act("decide", {"key": BUYING_COMPANY, "decision": "override", "customer": CUSTOMER})
    decide.act("decide", {"key": BUYER, "decision": "override", "customer": "77"})
    world.books.renames(CUSTOMER, name="Globex Holding")
    world.books.renames("77", email="carla.buyer@globex.example", phone="+1 555 010 0199")
    return world


def new_company() -> CashWorld:
    world = cash_world()
    world.settings(creates_always=True)
    world.store.commit([Companies(world.store).creating(Company("co-new", "Initech"))])
    return world


def grant(world: CashWorld) -> None:
    grant_finance(world.store, Role.ADMIN, True, ADA, clock=world.clock, jitter=world.jitter)


def a_permission_is_taken_away() -> CashWorld:
    world = invoiced()
    world.books.pays(world.mirror().invoice.invoice_id, 4_000)
    world.books.shut_out = AdminActionError("a role without invoices", reason="permission_missing")
    return world


def give_it_back(world: CashWorld) -> None:
    """A notice meets the refusal; then the administrator acts, and a person says so."""
    hear(world)
    world.drain(redeliver=True)
    world.books.shut_out = None
    try:
        desk(world).act("reopen", {})
    except InputError:  # it was opened again before the crash
        return


FLOWS = [
    flow(
        "a permission is missing for a while",
        "quickbooks_webhook",
        "payment_sync",
        "ledger_mapping",
        "ledger_open",
        build=a_permission_is_taken_away,
        run=give_it_back,
    ),
    flow("two instalments", "invoice_trigger", "invoice_push", "outbox_sweep", build=two_halves, run=plan_both_halves),
    flow("an invoice that is sent", "invoice_push", "invoice_send", build=sent_by_itself, run=plan),
    flow("an invoice with a record of its own", "invoice_push", build=with_a_record_of_its_own, run=plan),
    flow("an invoice that differs", "invoice_push", build=off_by_a_cent, run=plan),
    flow("payments and a bounce", "quickbooks_webhook", "payment_sync", build=paid_in_two_parts, run=hear),
    flow("a payment moves", "quickbooks_webhook", "payment_sync", build=moved_payment, run=hear),
    flow("reconcile", "ledger_reconcile", "ledger_read", build=paid_in_two_parts, run=reconciled),
    flow("poll", "netsuite_poll", "ledger_read", "payment_sync", build=without_notices, run=poll),
    flow("map and try again", "ledger_mapping", "invoice_control", build=not_mapped, run=map_and_retry),
    flow("map and switch on", "ledger_mapping", build=not_reviewed, run=map_and_switch),
    flow("by hand", "invoice_create", "invoice_send", build=invoiced, run=create_by_hand),
    flow("send", "invoice_control", "invoice_send", build=invoiced, run=send_by_hand),
    flow("void", "invoice_control", build=invoiced, run=void),
    flow("push ours", "invoice_control", build=edited, run=push_ours),
    flow("connect", "ledger_connect", "ledger_open", build=cash_world, run=connect),
    flow("a customer changes there", "quickbooks_webhook", "payment_sync", build=customer_changed, run=hear),
    flow("every company is a customer there", "ledger_reconcile", "ledger_read", build=new_company, run=reconciled),
    flow("finance is granted", "finance_grant", build=cash_world, run=grant),
]

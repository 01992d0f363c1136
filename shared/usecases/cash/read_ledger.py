"""Ask a ledger what changed since we asked last, and bring back what got stuck (Q7, Q13).

It is the daily reconcile, the reconcile on demand, and the poll of a ledger that sends no notices. The cursor moves
after the tasks exist; the stretch before it is read twice, because what was being written may show late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared import log
from shared.domain.cash.accounting import InvoiceStatus, LedgerChange, RecordKind
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.ids import digest
from shared.errors import AlreadyExistsError, StaleWriteError
from shared.ports.cash import Ledger
from shared.ports.documents import ID, Conditions, Documents
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.ledgers import ledgers
from shared.records.store import TenantStore, guarded
from shared.records.sweeps import connected_ledgers
from shared.usecases.cash.accept_changes import WORKER, change_fields
from shared.usecases.cash.ensure_customer import create_missing_customers
from shared.usecases.cash.plan_invoices import push_promise
from shared.usecases.cash.sync_ledger_record import PAYMENT_KINDS
from shared.usecases.promises import keep_promise_tasks

OVERLAP = timedelta(minutes=2)
STUCK_AFTER = timedelta(minutes=15)
BEHIND = timedelta(minutes=10)
"""A ledger that told of changes up to longer ago than this has more to tell at once."""

FIRST_LOOK_BACK = timedelta(days=1)
MAY_STILL_GO = timedelta(days=60)
"""How long after its last change a payment is looked for, should somebody have deleted it."""

UNSETTLED_FOR = timedelta(minutes=1)
"""Ledgers tell whole seconds, and clocks differ: a record that changed so lately may change again and look the same."""

AFTER_PAYMENTS = timedelta(seconds=5)
"""A payment is read with the invoices it touches; told first, it stands before what it does to the deal."""

STILL_OWED = (InvoiceStatus.OPEN.value, InvoiceStatus.PARTIALLY_PAID.value)
READER = "ledger_read"


def read_ledger(
    store: TenantStore,
    connection_id: str,
    *,
    ledger: Ledger,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
    thorough: bool = False,
) -> int:
    """Queue the reading of everything that changed; returns how many records.

    thorough: also every invoice that is still owed and, where there are no notices, every payment of the last weeks:
    such a ledger may not tell of what was deleted, and a payment that is gone need not show on its invoice.
    Raises: NotFoundError; what the ledger raises.
    """
    asked_at = clock.now()
    settings = ledgers(store).get(connection_id).value
    since = (settings.read_until or asked_at - FIRST_LOOK_BACK) - OVERLAP
    page = ledger.changes_since(since)
    changes = {(change.kind, change.id): change for change in page.changes}
    if thorough:
        again = _still_owed(store, connection_id, asked_at)
        if not settings.has_notices:
            again += _lately_paid(store, connection_id, asked_at)
        for change in again:
            changes.setdefault((change.kind, change.id), change)
    tasks.create(_sync_tasks(store.tenant, connection_id, list(changes.values()), asked_at))
    if thorough:
        create_missing_customers(store, settings, ledger=ledger, jitter=jitter)
    stuck = bring_back_stuck(store, connection_id, tasks=tasks, clock=clock)
    _move_cursor(store, connection_id, page.complete_until, asked_at, jitter)
    if since < page.complete_until < asked_at - BEHIND:
        tasks.create([read_task(store.tenant, connection_id, page.complete_until.isoformat())])
    log.event("ledger.read", tenant=store.tenant, connection=connection_id, changes=len(changes), stuck=stuck)
    return len(changes)


def read_ledgers(documents: Documents, *, tasks: Tasks, clock: Clock, slot: datetime, thorough: bool) -> int:
    """Queue a reading of every connected ledger that is due, or of every one; returns how many.

    slot: the run of the schedule, which makes the task new.
    """
    queued = []
    for found in connected_ledgers(documents):
        connection_id = found.segment(1)
        stored = ledgers(TenantStore(documents, found.tenant)).find(connection_id)
        if stored and (thorough or stored.value.due_for_reading(clock.now())):
            queued.append(read_task(found.tenant, connection_id, slot.isoformat(), thorough=thorough))
    tasks.create(queued)
    return len(queued)


def read_task(tenant: str, connection_id: str, new: str, *, thorough: bool = False) -> Task:
    """new: what makes this reading a new one: the schedule's slot, or where the last one ended."""
    payload = {"tenant": tenant, "connection": connection_id, "thorough": "yes" if thorough else ""}
    return Task(
        READER.replace("_", "-"), READER, digest(READER, tenant, connection_id, new, payload["thorough"]), payload
    )


def _sync_tasks(tenant: str, connection_id: str, changes: Sequence[LedgerChange], asked_at: datetime) -> list[Task]:
    paid = any(change.kind in PAYMENT_KINDS for change in changes)
    return [
        _sync_task(
            tenant,
            connection_id,
            change,
            asked_at,
            asked_at + AFTER_PAYMENTS if paid and change.kind is RecordKind.INVOICE else None,
        )
        for change in changes
    ]


def _sync_task(
    tenant: str, connection_id: str, change: LedgerChange, asked_at: datetime, not_before: datetime | None
) -> Task:
    """New by the record and the time it changed at. As long as another change may look the same, every reading that
    finds it is a reason of its own; the first one after that is the last."""
    reading = asked_at.isoformat() if change.changed_at > asked_at - UNSETTLED_FOR else ""
    changed_at = change.changed_at.isoformat()
    name = digest("ledger-change", tenant, connection_id, change.kind.value, change.id, changed_at, reading)
    payload = {"tenant": tenant, "connection": connection_id, **change_fields(change)}
    return Task(WORKER.replace("_", "-"), WORKER, name, payload, not_before)


def _still_owed(store: TenantStore, connection_id: str, now: datetime) -> list[LedgerChange]:
    conditions: Conditions = (("connection_id", "==", connection_id), ("invoice.status", "in", STILL_OWED))
    owed = CashRecords(store).invoices.where(conditions)
    return [LedgerChange(RecordKind.INVOICE, kept.value.invoice.invoice_id, now) for kept in owed]


def _lately_paid(store: TenantStore, connection_id: str, now: datetime) -> list[LedgerChange]:
    conditions: Conditions = (
        ("connection_id", "==", connection_id),
        ("payment.updated_at", ">=", now - MAY_STILL_GO),
    )
    order = ("payment.updated_at", ID)
    paid = [kept.value.payment for kept in CashRecords(store).payments.where(conditions, order_by=order)]
    return [LedgerChange(RecordKind(kept.kind.value), kept.payment_id, now) for kept in paid if not kept.voided]


def _move_cursor(store: TenantStore, connection_id: str, until: datetime, asked_at: datetime, jitter: Jitter) -> None:
    """Forward only: of two readings at once the further one counts."""

    def attempt() -> None:
        settings = ledgers(store).get(connection_id)
        known = settings.value.read_until
        moved = replace(settings.value, read_until=max(known, until) if known else until, read_at=asked_at)
        store.commit([ledgers(store).updating(connection_id, moved, settings.version)])

    guarded(jitter, f"ledger {connection_id}", attempt)


# --------------------------------------------------------------------------------------------------- what got stuck


def bring_back_stuck(store: TenantStore, connection_id: str, *, tasks: Tasks, clock: Clock) -> int:
    """Promise anew to push every intent that should have been made a quarter of an hour ago; returns how many."""
    now = clock.now()
    records = CashRecords(store)
    conditions: Conditions = (
        ("connection_id", "==", connection_id),
        ("state", "in", (IntentState.PLANNED.value, IntentState.CALLING.value)),
    )
    waiting = [kept.value for kept in records.intents.where(conditions)]
    stuck = [intent for intent in waiting if max(intent.start_at, intent.planned_at) <= now - STUCK_AFTER]
    return sum(push_again(store, intent, tasks=tasks, now=now) for intent in stuck)


def push_again(store: TenantStore, intent: InvoiceIntent, *, tasks: Tasks, now: datetime) -> int:
    """The promise to push it, renewed or made anew, and its task; 0 where another worker just did it."""
    outbox = Outbox(store)
    known = outbox.find(push_promise(store.tenant, intent.intent_id, now).promise_id)
    fresh = push_promise(store.tenant, intent.intent_id, now, now.isoformat())
    pushing = known.value.again(now) if known else fresh
    try:
        store.commit([outbox.updating(pushing, known.version) if known else outbox.creating(pushing)])
    except (StaleWriteError, AlreadyExistsError):
        return 0
    tasks.create(keep_promise_tasks([pushing]))
    return 1

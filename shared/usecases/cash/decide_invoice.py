"""What a person decides about an invoice: try again, take the ledger's figures, push ours, detach, void (Q9, Q12)."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial

from shared import log
from shared.domain.cash.deal_money import NOT_OWED
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror, agreed_of
from shared.domain.outbox import Promise
from shared.domain.people import User
from shared.errors import AlreadyExistsError, InputError
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.cash.book_invoice import booking, created_step
from shared.usecases.cash.finance import require_finance
from shared.usecases.cash.open_ledger import OpenLedger
from shared.usecases.cash.plan_invoices import push_promise
from shared.usecases.cash.promise_sending import send_promise
from shared.usecases.cash.sync_ledger_record import sync_invoice
from shared.usecases.promises import keep_promise_tasks


class Choice(StrEnum):
    """Of a conflict: what counts from now on."""

    TAKE_THEIRS = "take_theirs"
    PUSH_OURS = "push_ours"
    DETACH = "detach"


def retry_invoice(
    store: TenantStore, intent_id: str, actor: User, *, tasks: Tasks, clock: Clock, jitter: Jitter
) -> None:
    """Try a stopped invoice again, after its cause was mended. Still at most one: whatever was called is looked up.

    Raises: ForbiddenError, NotFoundError; InputError for one that was not stopped.
    """
    require_finance(store, actor)
    now = clock.now()

    def attempt() -> Promise:
        records = CashRecords(store)
        stored = records.intents.get(intent_id)
        if stored.value.state is not IntentState.STOPPED:
            raise InputError(f"Invoice {stored.value.number} was not stopped; there is nothing to try again.")
        planned = replace(stored.value, state=IntentState.PLANNED, reason="", start_at=min(stored.value.start_at, now))
        pushing = push_promise(store.tenant, intent_id, now, now.isoformat())
        writes = [
            records.intents.updating(intent_id, planned, stored.version),
            Outbox(store).creating(pushing),
            Audit(store).recording(actor.user_id, "invoice.retried", intent_id, now),
        ]
        store.commit(writes)
        return pushing

    tasks.create(keep_promise_tasks([guarded(jitter, f"intent {intent_id}", attempt)]))


def ask_to_send(store: TenantStore, intent_id: str, actor: User, *, tasks: Tasks, clock: Clock) -> None:
    """Promise to mail it to the customer. Raises: ForbiddenError, NotFoundError; InputError where it cannot be."""
    require_finance(store, actor)
    intent = CashRecords(store).intents.get(intent_id).value
    if intent.state is not IntentState.CREATED:
        raise InputError(intent.reason or f"Invoice {intent.number} is not in the ledger yet, so it cannot be sent.")
    now = clock.now()
    sending = send_promise(store.tenant, intent_id, now, now.isoformat())
    audit = Audit(store).recording(actor.user_id, "invoice.send_asked", intent_id, now)
    try:
        store.commit([Outbox(store).creating(sending), audit])
    except AlreadyExistsError:
        log.event("invoice.send_asked_twice", tenant=store.tenant, intent=intent_id)
    tasks.create(keep_promise_tasks([sending]))


def resolve_conflict(
    store: TenantStore,
    invoice_key: str,
    choice: Choice,
    actor: User,
    *,
    open_ledger: OpenLedger,
    clock: Clock,
    jitter: Jitter,
) -> InvoiceMirror:
    """Settle what somebody edited in the ledger. Nothing there is overwritten unless `push_ours` was chosen.

    Raises: ForbiddenError, NotFoundError; InputError where there is no conflict, or the ledger refuses ours.
    """
    require_finance(store, actor)
    records = CashRecords(store)
    if choice is Choice.PUSH_OURS:
        _push_ours(records, records.invoices.get(invoice_key).value, open_ledger, clock, jitter)

    def attempt() -> InvoiceMirror:
        stored = records.invoices.get(invoice_key)
        if choice is not Choice.PUSH_OURS and not stored.value.conflicts:
            raise InputError("Nobody edited this invoice in the ledger; there is nothing to decide.")
        now = clock.now()
        theirs = replace(stored.value, agreed=agreed_of(stored.value.invoice))
        after = {
            Choice.TAKE_THEIRS: theirs,
            Choice.DETACH: replace(stored.value, detached=True),
            Choice.PUSH_OURS: stored.value,
        }[choice]
        writes = [
            *booking(records, stored, after, now, cause=actor.user_id),
            Audit(store).recording(actor.user_id, f"invoice.{choice.value}", invoice_key, now),
        ]
        intent = _differing(records, after) if choice is Choice.TAKE_THEIRS else None
        if intent is not None:
            taken = replace(intent.value, state=IntentState.CREATED, reason="")
            writes.append(records.intents.updating(taken.intent_id, taken, intent.version))
            writes += created_step(records, taken, after.invoice, now, cause=actor.user_id)
        store.commit(writes)
        return after

    return guarded(jitter, f"invoice {invoice_key}", attempt)


def _differing(records: CashRecords, mirror: InvoiceMirror) -> Stored[InvoiceIntent] | None:
    intent = records.intents.find(mirror.intent_id) if mirror.intent_id else None
    return intent if intent and intent.value.state is IntentState.DIFFERS else None


def _push_ours(
    records: CashRecords,
    mirror: InvoiceMirror,
    open_ledger: OpenLedger,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Write what we asked for over the edit, unless it is there again by now, then read what came of it."""
    intent = records.intents.find(mirror.intent_id) if mirror.intent_id else None
    if intent is None or intent.value.draft is None or mirror.agreed is None:
        raise InputError("This invoice was made in the ledger, so there is nothing of ours to push.")
    ledger, invoice_id = open_ledger(mirror.connection_id), mirror.invoice.invoice_id
    reread = partial(
        sync_invoice,
        records,
        mirror.connection_id,
        invoice_id,
        ledger=ledger,
        clock=clock,
        jitter=jitter,
        cause=mirror.key,
    )
    reread()
    if records.invoices.get(mirror.key).value.conflicts:
        ledger.restore_invoice(invoice_id, replace(intent.value.draft, due_on=mirror.agreed.due_on))
        reread()


def void_invoice(
    store: TenantStore,
    invoice_key: str,
    reason: str,
    actor: User,
    *,
    open_ledger: OpenLedger,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Void it in the ledger. Its instalment is not invoiced anew: at most one invoice ever (Q9). Safe to repeat.

    Raises: ForbiddenError, NotFoundError; InputError without a reason, or where the ledger refuses.
    """
    require_finance(store, actor)
    if not reason.strip():
        raise InputError("Say why the invoice is voided; the reason is kept in the audit log.")
    records = CashRecords(store)
    mirror = records.invoices.get(invoice_key).value
    if mirror.invoice.status in NOT_OWED:
        return
    audit = Audit(store).recording(
        actor.user_id, "invoice.voided", invoice_key, clock.now(), after={"reason": reason.strip()[:200]}
    )
    store.commit([audit])
    ledger = open_ledger(mirror.connection_id)
    ledger.void_invoice(mirror.invoice.invoice_id)
    sync_invoice(
        records,
        mirror.connection_id,
        mirror.invoice.invoice_id,
        ledger=ledger,
        clock=clock,
        jitter=jitter,
        cause=actor.user_id,
    )
    log.event("invoice.voided", tenant=store.tenant, invoice=invoice_key)


def match_invoice(
    store: TenantStore, invoice_key: str, deal_id: str, actor: User, *, clock: Clock, jitter: Jitter
) -> None:
    """Put an invoice that was made in the ledger on a deal (Q10).

    Raises: ForbiddenError, NotFoundError; InputError for one that is on a deal.
    """
    require_finance(store, actor)
    records = CashRecords(store)
    records.deals.get(deal_id)

    def attempt() -> None:
        stored = records.invoices.get(invoice_key)
        if stored.value.deal_id is not None:
            raise InputError("This invoice is on a deal already.")
        now = clock.now()
        writes = booking(records, stored, replace(stored.value, deal_id=deal_id), now, cause=actor.user_id)
        store.commit([*writes, Audit(store).recording(actor.user_id, "invoice.matched", invoice_key, now)])

    guarded(jitter, f"invoice {invoice_key}", attempt)


def unmatched_invoices(store: TenantStore, connection_id: str, viewer: User) -> list[InvoiceMirror]:
    """Made in the ledger for customers of ours, and on no deal yet. Raises: ForbiddenError."""
    require_finance(store, viewer)
    found = CashRecords(store).invoices.where((("connection_id", "==", connection_id), ("deal_id", "==", None)))
    return [kept.value for kept in found]

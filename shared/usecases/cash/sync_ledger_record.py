"""Something changed in the ledger: read it again and believe the newest version (I24, Q11, Q14).

A notice names a record and nothing else is taken from it. What a deal shows is computed from its invoices, so that
paid goes back to open when a payment bounces, and a late notice of an older state changes nothing.

The ledger is always asked after our own row was read, and what it said is written only if that row is as it was: two
workers can therefore never write their readings in the wrong order, even where the ledger gives them one version.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from shared import log
from shared.domain.cash.accounting import (
    InvoiceStatus,
    LedgerChange,
    LedgerInvoice,
    LedgerPayment,
    PaymentKind,
    RecordKind,
)
from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.intent import IntentState, InvoiceIntent, believed, equals
from shared.domain.cash.mirror import InvoiceMirror, PaymentMirror, agreed_of, invoice_key, payment_key
from shared.errors import RateLimitedError, StaleWriteError
from shared.ports.cash import Ledger
from shared.ports.documents import Conditions, Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.ledgers import customer_matches, ledgers
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.cash.book_invoice import booking, created_step
from shared.usecases.cash.plan_invoices import push_promise
from shared.usecases.cash.promise_sending import sendings
from shared.usecases.cash.sync_customer import sync_customer
from shared.usecases.cash.tell import telling, telling_customer

PAYMENT_KINDS = {
    RecordKind.PAYMENT: PaymentKind.PAYMENT,
    RecordKind.CREDIT_MEMO: PaymentKind.CREDIT_MEMO,
    RecordKind.REFUND: PaymentKind.REFUND,
}
WORDS = {
    PaymentKind.PAYMENT: "payment",
    PaymentKind.CREDIT_MEMO: "credit",
    PaymentKind.REFUND: "refund",
}
AGAIN_IN = timedelta(seconds=30)
JUST_AFTER = timedelta(microseconds=1)
"""What a payment does to its deal is told after the payment itself, however both are sorted."""


def sync_ledger_record(
    store: TenantStore,
    connection_id: str,
    change: LedgerChange,
    *,
    ledger: Ledger,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Bring one record of the ledger up to date here. Safe to repeat, in any order.

    Raises: RateLimitedError for an invoice of ours that is just being made; what the ledger raises.
    """
    records, cause = CashRecords(store), change.event_id or change.id
    settings = ledgers(store).find(connection_id)
    if change.kind is not RecordKind.INVOICE and settings and not settings.value.comes(change.kind):
        log.event("ledger_record.not_wanted", tenant=store.tenant, connection=connection_id, kind=change.kind.value)
        return
    if change.kind is RecordKind.INVOICE:
        sync_invoice(records, connection_id, change.id, ledger=ledger, clock=clock, jitter=jitter, cause=cause)
    elif change.kind in PAYMENT_KINDS:
        kind = PAYMENT_KINDS[change.kind]
        _sync_payment(records, connection_id, kind, change.id, ledger=ledger, clock=clock, jitter=jitter, cause=cause)
    else:
        sync_customer(store, connection_id, change.id, ledger=ledger, tasks=tasks, clock=clock, jitter=jitter)


# ------------------------------------------------------------------------------------------------------------ invoices


def sync_invoice(
    records: CashRecords,
    connection_id: str,
    invoice_id: str,
    *,
    ledger: Ledger,
    clock: Clock,
    jitter: Jitter,
    cause: str,
    at: datetime | None = None,
) -> None:
    """Read one invoice and write down what it is now. at: when what led to it was told; now if left out."""

    def attempt() -> None:
        known = records.invoices.find(invoice_key(connection_id, invoice_id))
        if known is None:
            _meet(records, connection_id, ledger.invoice(invoice_id), clock, cause)
            return
        before, read = known.value.invoice, ledger.invoice(invoice_id)
        after = believed(before, read) if read else _deleted(before, clock.now())
        if after == before:
            return
        mirror = replace(known.value, invoice=after, customer_id=after.customer_id)
        now = at or clock.now()
        intent = _mended(records, mirror)
        if intent is not None:
            mirror = replace(mirror, agreed=agreed_of(after))
        writes = booking(records, known, mirror, now, cause=cause)
        if intent is not None:
            equal = replace(intent.value, state=IntentState.CREATED, reason="")
            writes.append(records.intents.updating(equal.intent_id, equal, intent.version))
            writes += created_step(records, equal, after, now, cause=cause)
            writes += [Outbox(records.store).creating(kept) for kept in sendings(records, equal, after, now)]
        records.store.commit(writes)
        log.event("invoice.read", tenant=records.store.tenant, invoice=mirror.key, status=after.status.value)

    guarded(jitter, f"invoice {invoice_id}", attempt)


def _deleted(known: LedgerInvoice, now: datetime) -> LedgerInvoice:
    """An invoice somebody deleted there owes nothing. One version on: an answer from before cannot bring it back."""
    if known.status is InvoiceStatus.DELETED:
        return known
    return replace(known, status=InvoiceStatus.DELETED, version=known.version + 1, updated_at=now)


def _mended(records: CashRecords, mirror: InvoiceMirror) -> Stored[InvoiceIntent] | None:
    """The intent of an invoice that differed, where somebody corrected it there so that it equals now."""
    intent = records.intents.find(mirror.intent_id) if mirror.intent_id else None
    if intent is None or intent.value.state is not IntentState.DIFFERS or intent.value.draft is None:
        return None
    return intent if equals(mirror.invoice, intent.value.draft) else None


def _meet(records: CashRecords, connection_id: str, read: LedgerInvoice | None, clock: Clock, cause: str) -> None:
    """An invoice we have no row of: one of ours that is just being made, or one that was made there."""
    if read is None:
        return
    intent = _intent_of(records, connection_id, read)
    if intent is not None:
        if intent.value.state is IntentState.STOPPED:
            _adopt(records, intent, clock.now())
        elif intent.value.settled:
            raise StaleWriteError(f"invoice {read.invoice_id} was settled meanwhile")
        raise RateLimitedError(f"intent {intent.value.intent_id} is being made", resume_at=clock.now() + AGAIN_IN)
    settings = ledgers(records.store).find(connection_id)
    wanted = settings is None or settings.value.comes(RecordKind.INVOICE)
    if not wanted or not _is_customer(records, connection_id, read.customer_id):
        log.event("invoice.not_ours", tenant=records.store.tenant, connection=connection_id)
        return
    made_there = InvoiceMirror(read, connection_id, read.customer_id)
    records.store.commit(booking(records, None, made_there, clock.now(), cause=cause))
    log.event("invoice.made_there", tenant=records.store.tenant, invoice=made_there.key)


def _is_customer(records: CashRecords, connection_id: str, customer_id: str) -> bool:
    """Whether the ledger's customer is one of ours; everybody else's business there is none of ours."""
    return bool(_keys_of(records, connection_id, customer_id))


def _keys_of(records: CashRecords, connection_id: str, customer_id: str) -> list[str]:
    """Our companies and contacts that are this customer of the ledger."""
    matches = customer_matches(records.store, connection_id)
    return [kept.value.key for kept in matches.where((("customer_id", "==", customer_id),))]


def _intent_of(records: CashRecords, connection_id: str, read: LedgerInvoice) -> Stored[InvoiceIntent] | None:
    """By the reference we gave it. A copy somebody made there carries it too, and is not ours."""
    if not read.external_id or not read.external_id.isalnum():
        return None
    intent = records.intents.find(read.external_id)
    if intent is None or intent.value.connection_id != connection_id:
        return None
    return intent if intent.value.invoice_id in (None, read.invoice_id) else None


def _adopt(records: CashRecords, intent: Stored[InvoiceIntent], now: datetime) -> None:
    """It was stopped, and a call of before succeeded after all: the next push finds it."""
    again = replace(intent.value, state=IntentState.CALLING)
    pushing = push_promise(records.store.tenant, again.intent_id, now, now.isoformat())
    update = records.intents.updating(again.intent_id, again, intent.version)
    records.store.commit([update, Outbox(records.store).creating(pushing)])
    log.event("invoice.turned_up", severity="WARNING", tenant=records.store.tenant, intent=again.intent_id)


# ------------------------------------------------------------------------------------------------------------ payments


def _sync_payment(
    records: CashRecords,
    connection_id: str,
    kind: PaymentKind,
    payment_id: str,
    *,
    ledger: Ledger,
    clock: Clock,
    jitter: Jitter,
    cause: str,
) -> None:
    """Every invoice it touches or touched, then the payment itself: a crash in between forgets none of them.

    One that is as we know it explains nothing, whatever its invoices are by now.
    """
    now = clock.now()
    reread = partial(sync_invoice, records, connection_id, ledger=ledger, clock=clock, jitter=jitter, cause=cause)

    def attempt() -> None:
        stored = records.payments.find(payment_key(connection_id, kind, payment_id))
        known = stored.value.payment if stored else None
        after = _payment_after(known, ledger.payment(kind, payment_id), now)
        if after is None or after == known:
            return
        for invoice_id in sorted({*after.applied, *(known.applied if known else ())}):
            reread(invoice_id, at=now + JUST_AFTER)
        deal_ids = _deals_of(records, connection_id, after, stored.value.deal_ids if stored else ())
        if not deal_ids and not _is_customer(records, connection_id, after.customer_id):
            log.event("payment.not_ours", tenant=records.store.tenant, connection=connection_id)
            return
        mirror = PaymentMirror(after, connection_id, deal_ids)
        writes: list[Write] = [
            records.payments.updating(mirror.key, mirror, stored.version)
            if stored
            else records.payments.creating(mirror.key, mirror)
        ]
        told = _told(known, after)
        if told is not None:
            writes += _telling_payment(records, mirror, *told, now, cause)
        records.store.commit(writes)
        log.event("payment.read", tenant=records.store.tenant, payment=mirror.key, kind=kind.value)

    guarded(jitter, f"payment {payment_id}", attempt)


def _payment_after(known: LedgerPayment | None, read: LedgerPayment | None, now: datetime) -> LedgerPayment | None:
    if read is None:  # deleted there: it applies nothing any more
        if known is None or known.voided:
            return known
        return replace(known, applied={}, voided=True, version=known.version + 1, updated_at=now)
    return read if known is None or read.version >= known.version else known


def _deals_of(
    records: CashRecords, connection_id: str, payment: LedgerPayment, earlier: tuple[str, ...]
) -> tuple[str, ...]:
    """By the invoices it is applied to. One that is applied to none belongs to its customer's deal, if there is one."""
    keys = [invoice_key(connection_id, invoice_id) for invoice_id in sorted(payment.applied)]
    touched = [kept.value.deal_id for key in keys if (kept := records.invoices.find(key))]
    if not touched and not earlier:
        of_customer: Conditions = (("connection_id", "==", connection_id), ("customer_id", "==", payment.customer_id))
        deals = {kept.value.deal_id for kept in records.invoices.where(of_customer)} - {None}
        touched = list(deals) if len(deals) == 1 else []
    return tuple(dict.fromkeys(deal for deal in (*earlier, *touched) if deal))


def _told(known: LedgerPayment | None, after: LedgerPayment) -> tuple[Step, str] | None:
    """The step a reader of the chain is told, if what they see changed."""
    word, before = WORDS[after.kind], sum(known.applied.values()) if known else 0
    applied = sum(after.applied.values())
    gone = after.voided and not (known and known.voided)
    if after.voided and known is None:
        return None
    if gone or (known and applied < before):
        return Step.PAYMENT_UNAPPLIED, f"A {word} of {after.amount} {'no longer counts' if gone else 'was unapplied'}."
    if after.kind is PaymentKind.REFUND and known is None:
        return Step.REFUND_MADE, f"A refund of {after.amount} was made."
    if known and applied == before:
        return None
    if after.kind is PaymentKind.CREDIT_MEMO:
        return Step.CREDIT_APPLIED, f"A credit of {after.amount} was entered" + (
            "." if applied else "; it is not applied to an invoice yet."
        )
    if after.kind is PaymentKind.PAYMENT:
        if applied:
            return Step.PAYMENT_RECEIVED, f"A payment of {after.amount} was entered."
        return Step.PAYMENT_UNAPPLIED, f"A payment of {after.amount} is not applied to an invoice yet."
    return None


def _telling_payment(
    records: CashRecords, mirror: PaymentMirror, step: Step, sentence: str, now: datetime, cause: str
) -> list[Write]:
    """On the deals it touches. One that touches none is the customer's: nobody guesses which deal it is for."""
    payment, new = mirror.payment, (mirror.key, mirror.payment.version)
    if not mirror.deal_ids:
        keys = _keys_of(records, mirror.connection_id, payment.customer_id)
        apart = f"{sentence} It is not applied to a deal."
        return telling_customer(records.store, keys, step, now, apart, new=new)
    steps = [
        chain_step(deal_id, step, now, cause=cause, other_id=payment.payment_id, sentence=sentence, new=new)
        for deal_id in mirror.deal_ids
    ]
    return telling(records, *steps)

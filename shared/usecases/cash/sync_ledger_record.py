"""Something changed in the ledger: read it again and believe the newest version (I24, Q11, Q14).

A notice names a record and nothing else is taken from it. What a deal shows is computed from its invoices, so that
paid goes back to open when a payment bounces, and a late notice of an older state changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from shared import log
from shared.domain.cash.accounting import (
    InvoiceStatus,
    LedgerChange,
    LedgerInvoice,
    LedgerPayment,
    PaymentKind,
    RecordKind,
)
from shared.domain.cash.deal import ChainStep, Step, chain_step
from shared.domain.cash.deal_money import DealMoneyState, deal_money
from shared.domain.cash.intent import believed
from shared.ports import Clock, Jitter, Write
from shared.ports.cash import Ledger
from shared.records.cash import CashRecords, InvoiceMirror, PaymentMirror
from shared.records.mailboxes import Stored
from shared.records.store import TenantStore, guarded

LAST_VERSION = 2**62
"""Of a record that was deleted: nothing newer can come."""

PAYMENT_KINDS = {
    RecordKind.PAYMENT: PaymentKind.PAYMENT,
    RecordKind.CREDIT_MEMO: PaymentKind.CREDIT_MEMO,
    RecordKind.REFUND: PaymentKind.REFUND,
}
PAYMENT_STEPS = {
    PaymentKind.PAYMENT: Step.PAYMENT_RECEIVED,
    PaymentKind.CREDIT_MEMO: Step.CREDIT_APPLIED,
    PaymentKind.REFUND: Step.REFUND_MADE,
}
MONEY_STEPS = {
    DealMoneyState.PARTIALLY_PAID: Step.DEAL_PARTIALLY_PAID,
    DealMoneyState.PAID: Step.DEAL_PAID,
    DealMoneyState.OPEN: Step.DEAL_OPEN_AGAIN,
}


def sync_ledger_record(
    store: TenantStore, connection_id: str, change: LedgerChange, *, ledger: Ledger, clock: Clock, jitter: Jitter
) -> None:
    """Bring one record of the ledger up to date here. Safe to repeat, in any order."""
    records = CashRecords(store)
    if change.kind is RecordKind.INVOICE:
        _sync_invoice(records, connection_id, change.id, ledger, clock, jitter, cause=change.event_id)
    elif change.kind in PAYMENT_KINDS:
        _sync_payment(records, connection_id, PAYMENT_KINDS[change.kind], change, ledger, clock, jitter)


def _sync_invoice(
    records: CashRecords,
    connection_id: str,
    invoice_id: str,
    ledger: Ledger,
    clock: Clock,
    jitter: Jitter,
    *,
    cause: str,
) -> None:
    """Only invoices we know: those of our intents, and those made there that were matched to a deal."""
    known = records.invoices.find(invoice_id)
    if known is None:
        return
    read = ledger.invoice(invoice_id) or _deleted(known.value.invoice, clock.now())

    def attempt() -> None:
        stored = records.invoices.find(invoice_id)
        if stored is None:
            return
        before = stored.value.invoice
        after = believed(before, read)
        if after == before:
            return
        writes: list[Write] = [
            records.invoices.updating(
                invoice_id,
                InvoiceMirror(
                    after, connection_id, stored.value.deal_id, stored.value.contract_id, stored.value.intent_id
                ),
                stored.version,
            )
        ]
        writes += [records.stepping(step) for step in _invoice_steps(records, stored, after, clock, cause)]
        records.store.commit(writes)
        log.event("invoice.read", tenant=records.store.tenant, invoice=invoice_id, status=after.status.value)

    guarded(jitter, f"invoice {invoice_id}", attempt)


def _deleted(known: LedgerInvoice, now: datetime) -> LedgerInvoice:
    """An invoice somebody deleted there owes nothing; nobody can bring it back, so its version is the last."""
    return replace(known, status=InvoiceStatus.DELETED, version=LAST_VERSION, updated_at=now)


def _invoice_steps(
    records: CashRecords, stored: Stored[InvoiceMirror], after: LedgerInvoice, clock: Clock, cause: str
) -> list[ChainStep]:
    """What the deal's chain says of the change: edited, voided, and what the deal's money came to."""
    before, deal_id = stored.value.invoice, stored.value.deal_id
    if deal_id is None:
        return []
    now, version = clock.now(), after.version
    steps = []
    if after.status in (InvoiceStatus.VOID, InvoiceStatus.DELETED) and before.status is not after.status:
        sentence = f"Invoice {after.number} was {after.status.value} in the ledger."
        steps.append(_step(deal_id, Step.INVOICE_VOIDED, now, cause, sentence, after.invoice_id, version))
    elif after.total != before.total:
        sentence = f"Invoice {after.number} was changed in the ledger from {before.total} to {after.total}."
        steps.append(_step(deal_id, Step.INVOICE_EDITED, now, cause, sentence, after.invoice_id, version))
    elif after.emailed and not before.emailed:
        sentence = f"Invoice {after.number} was sent to the customer."
        steps.append(_step(deal_id, Step.INVOICE_SENT, now, cause, sentence, after.invoice_id, version))
    others = [kept.value.invoice for kept in records.invoices_of_deal(deal_id)]
    others = [invoice for invoice in others if invoice.invoice_id != after.invoice_id]
    today = now.astimezone(UTC).date()
    was = deal_money([*others, before], after.total.currency, today)
    is_now = deal_money([*others, after], after.total.currency, today)
    if is_now.state is not was.state and is_now.state in MONEY_STEPS:
        sentence = f"{is_now.paid} of {is_now.invoiced} is paid; {is_now.outstanding} is outstanding."
        steps.append(_step(deal_id, MONEY_STEPS[is_now.state], now, cause, sentence, after.invoice_id, version))
    return steps


def _step(
    deal_id: str, step: Step, at: datetime, cause: str, sentence: str, invoice_id: str, version: int
) -> ChainStep:
    return chain_step(deal_id, step, at, cause=cause, other_id=invoice_id, sentence=sentence, new=(invoice_id, version))


def _sync_payment(
    records: CashRecords,
    connection_id: str,
    kind: PaymentKind,
    change: LedgerChange,
    ledger: Ledger,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """The payment by its newest version, then every invoice it touches or touched: their balances moved with it."""
    read = ledger.payment(kind, change.id)
    touched: set[str] = set(read.applied) if read else set()

    def attempt() -> None:
        stored = records.payments.find(change.id)
        known = stored.value.payment if stored else None
        if known is not None:
            touched.update(known.applied)
        after = _payment_after(known, read, clock.now())
        if after is None or after == known:
            return
        deals = _deals_of(records, touched)
        mirror = PaymentMirror(after, connection_id, deals)
        write = (
            records.payments.updating(change.id, mirror, stored.version)
            if stored
            else records.payments.creating(change.id, mirror)
        )
        steps = [records.stepping(_payment_step(deal_id, known, after, clock, change)) for deal_id in deals]
        records.store.commit([write, *steps])

    guarded(jitter, f"payment {change.id}", attempt)
    for invoice_id in sorted(touched):
        _sync_invoice(records, connection_id, invoice_id, ledger, clock, jitter, cause=change.event_id or change.id)


def _payment_after(known: LedgerPayment | None, read: LedgerPayment | None, now: datetime) -> LedgerPayment | None:
    if read is None:  # deleted there: it applies nothing any more
        return replace(known, applied={}, voided=True, version=LAST_VERSION, updated_at=now) if known else None
    return read if known is None or read.version >= known.version else known


def _deals_of(records: CashRecords, invoice_ids: set[str]) -> tuple[str, ...]:
    found = [records.invoices.find(invoice_id) for invoice_id in sorted(invoice_ids)]
    return tuple(dict.fromkeys(kept.value.deal_id for kept in found if kept and kept.value.deal_id))


def _payment_step(
    deal_id: str, known: LedgerPayment | None, after: LedgerPayment, clock: Clock, change: LedgerChange
) -> ChainStep:
    gone = after.voided or (known is not None and sum(after.applied.values()) < sum(known.applied.values()))
    step = Step.PAYMENT_UNAPPLIED if gone else PAYMENT_STEPS[after.kind]
    word = "no longer counts" if gone else "was entered"
    sentence = f"A {after.kind.value.replace('_', ' ')} of {after.amount} {word} in the ledger."
    return chain_step(
        deal_id,
        step,
        clock.now(),
        cause=change.event_id or change.id,
        other_id=after.payment_id,
        sentence=sentence,
        new=(after.payment_id, after.version),
    )

"""Have the ledger mail an invoice to its customer, once (Q12).

A mail cannot be taken back. The intent says that a sending is under way before it begins; whoever finds it so asks the
ledger whether it was sent, and sends again only when ten minutes have passed without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from shared import log
from shared.domain.cash.deal_money import NOT_OWED
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror, invoice_key
from shared.errors import ContendedError, InputError, RateLimitedError, StaleWriteError
from shared.ports.documents import Write
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.cash.book_invoice import sent_step
from shared.usecases.cash.open_ledger import OpenLedger
from shared.usecases.cash.sync_ledger_record import sync_invoice
from shared.usecases.cash.tell import telling
from shared.usecases.cash.tell_stop import stop_told

DOUBT_LASTS = timedelta(minutes=10)


def send_invoice(store: TenantStore, intent_id: str, *, open_ledger: OpenLedger, clock: Clock, jitter: Jitter) -> bool:
    """Send it unless it was; returns whether it is sent. Safe to repeat.

    An invoice that differs from its quote, was voided, or has no address is not sent; the deal says why.
    Raises: NotFoundError; RateLimitedError while it is in doubt whether an earlier sending happened.
    """
    records = CashRecords(store)
    stored = records.intents.get(intent_id)
    intent = stored.value
    refusal = _refusal(records, intent)
    if refusal is not None:
        _refuse(records, intent, refusal, clock)
        return False
    assert intent.invoice_id is not None
    assert intent.draft is not None
    ledger = open_ledger(intent.connection_id)
    reread = partial(
        sync_invoice,
        records,
        intent.connection_id,
        intent.invoice_id,
        ledger=ledger,
        clock=clock,
        jitter=jitter,
        cause=intent_id,
    )
    if intent.sending_at is not None:
        reread()
    if _sent(records, intent):
        return True
    _claim(records, stored, clock)
    try:
        ledger.send_invoice(intent.invoice_id, intent.draft.email)
    except InputError as refused:
        _note(records, intent_id, jitter, lambda claimed: replace(claimed, sending_at=None))
        _refuse(records, intent, str(refused), clock)
        return False
    now = clock.now()
    _note(records, intent_id, jitter, lambda claimed: replace(claimed, sent_at=now))
    reread()
    log.event("invoice.sent", tenant=store.tenant, intent=intent_id)
    return True


def _refusal(records: CashRecords, intent: InvoiceIntent) -> str | None:
    if intent.state is IntentState.DIFFERS:
        return f"Invoice {intent.number} differs from its quote, so it is not sent."
    if intent.state is not IntentState.CREATED or intent.draft is None or intent.invoice_id is None:
        return f"Invoice {intent.number} is not in the ledger yet, so it cannot be sent."
    mirror = _mirror(records, intent)
    if mirror.invoice.status in NOT_OWED:
        return f"Invoice {intent.number} was {mirror.invoice.status.value} in the ledger, so it is not sent."
    if not intent.draft.email:
        return f"Invoice {intent.number} has no address to be sent to; add an email to the billing contact."
    return None


def _note(
    records: CashRecords, intent_id: str, jitter: Jitter, change: Callable[[InvoiceIntent], InvoiceIntent]
) -> None:
    """What came of it. A ledger that does not tell whether an invoice was mailed has its step from here."""

    def attempt() -> None:
        stored = records.intents.get(intent_id)
        noted = change(stored.value)
        writes: list[Write] = [records.intents.updating(intent_id, noted, stored.version)]
        if noted.sent_at is not None and noted.deal_id is not None:
            step = sent_step(_mirror(records, noted), noted.deal_id, noted.sent_at, cause=intent_id)
            writes += telling(records, step)
        records.store.commit(writes)

    guarded(jitter, f"intent {intent_id}", attempt)


def _sent(records: CashRecords, intent: InvoiceIntent) -> bool:
    return intent.sent_at is not None or _mirror(records, intent).invoice.emailed


def _mirror(records: CashRecords, intent: InvoiceIntent) -> InvoiceMirror:
    assert intent.invoice_id is not None
    return records.invoices.get(invoice_key(intent.connection_id, intent.invoice_id)).value


def _claim(records: CashRecords, stored: Stored[InvoiceIntent], clock: Clock) -> None:
    """Write down that it is being sent. Raises: RateLimitedError, ContendedError."""
    intent, now = stored.value, clock.now()
    if intent.sending_at is not None and now < intent.sending_at + DOUBT_LASTS:
        raise RateLimitedError(
            f"intent {intent.intent_id} may have been sent", resume_at=intent.sending_at + DOUBT_LASTS
        )
    try:
        claimed = replace(intent, sending_at=now)
        records.store.commit([records.intents.updating(intent.intent_id, claimed, stored.version)])
    except StaleWriteError as raced:
        raise ContendedError(f"intent {intent.intent_id} is being sent by another worker") from raced


def _refuse(records: CashRecords, intent: InvoiceIntent, sentence: str, clock: Clock) -> None:
    if writes := stop_told(records, intent, sentence, clock.now()):
        records.store.commit(writes)
    log.event("invoice.not_sent", severity="WARNING", tenant=records.store.tenant, intent=intent.intent_id)

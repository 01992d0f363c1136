"""Which invoices are mailed to their customer without anybody asking: those that equal their quote (Q12)."""

from __future__ import annotations

from datetime import datetime

from shared.domain.cash.accounting import LedgerInvoice
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.outbox import Promise, promise
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.ledgers import ledgers


def send_promise(tenant: str, intent_id: str, now: datetime, *again: str) -> Promise:
    """again: what makes asking once more a new wish."""
    return promise("invoice_send", {"tenant": tenant, "intent": intent_id}, now, intent_id, *again)


def sendings(records: CashRecords, intent: InvoiceIntent, invoice: LedgerInvoice, now: datetime) -> list[Promise]:
    """The promise to send it, for the commit in which it came to stand; none where nobody wants it sent by itself, it
    was sent, or nobody's address is known."""
    settings = ledgers(records.store).get(intent.connection_id).value
    wanted = intent.sends or settings.sends_invoices
    if intent.state is not IntentState.CREATED or not wanted or invoice.emailed:
        return []
    if intent.draft is None or not intent.draft.email:
        return []
    sending = send_promise(records.store.tenant, intent.intent_id, now)
    return [] if Outbox(records.store).find(sending.promise_id) else [sending]

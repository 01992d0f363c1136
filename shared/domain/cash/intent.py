"""Invoice intents: one per contract and instalment, made before any call to the ledger (I23)."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from enum import StrEnum

from shared.domain.cash.accounting import InvoiceDraft, LedgerInvoice
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Quote
from shared.domain.ids import short_id
from shared.domain.lease import FREE, Lease
from shared.domain.values import dataclass

NUMBER_AT_MOST = 21


class IntentState(StrEnum):
    """planned: written, nothing called. calling: a call may be under way or its answer lost; look up first. created:
    the ledger has it and it equals the quote. differs: the ledger has it and its figures differ; a person decides.
    stopped: nothing was created, and the reason says why."""

    PLANNED = "planned"
    CALLING = "calling"
    CREATED = "created"
    DIFFERS = "differs"
    STOPPED = "stopped"


SETTLED = frozenset({IntentState.CREATED, IntentState.DIFFERS, IntentState.STOPPED})


@dataclass(frozen=True, slots=True)
class InvoiceIntent:
    """An invoice that is to be made once. deal_id, contract_id: none where it was made by hand for a contact.

    record_number: INV-000001, in one row without gaps, from the moment it stands in the ledger; number is what the
    ledger calls it, which has to be known before the first call. customer_key: our id of the company or contact that
    pays. bill: lines a person reviewed; without them the contract's quote counts. start_at: not before. draft: exactly
    what is sent, kept so that a repeat sends the same. expected: what it must come to. calls: how often the ledger was
    asked to make it; after the first it is looked up before it is asked again. by_hand: who asked for it. sends: mailed
    by the ledger once it equals; sending_at: when that was last tried, sent_at: when the ledger said that it did.
    term_id: of the ledger, instead of the usual one.
    """

    intent_id: str
    deal_id: str | None
    contract_id: str | None
    instalment: int
    connection_id: str
    number: str
    expected: Money
    state: IntentState
    planned_at: datetime
    start_at: datetime
    customer_key: str
    bill: Quote | None = None
    draft: InvoiceDraft | None = None
    invoice_id: str | None = None
    reason: str = ""
    calls: int = 0
    by_hand: str | None = None
    sends: bool = False
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    term_id: str | None = None
    record_number: str = ""
    lease: Lease = FREE

    @property
    def settled(self) -> bool:
        return self.state in SETTLED


def intent_id(tenant: str, contract_id: str, instalment: int) -> str:
    """Number, reference and idempotency key at the ledger are made from it. Two organizations may keep one company's
    books and have records of the same ids, so it is the tenant's own."""
    return short_id("i", "invoice-intent", tenant, contract_id, instalment)


def intent_id_by_hand(tenant: str, key: str) -> str:
    """key: made when the invoice was first shown, so that asking twice for what was shown is one invoice."""
    return short_id("i", "invoice-by-hand", tenant, key)


def invoice_number(intent: str, prefix: str = "INV") -> str:
    """Our number, made from the intent, at most 21 characters: the same intent always has the same number."""
    digest = base64.b32encode(hashlib.sha256(intent.encode()).digest()).decode()
    return f"{prefix}-{digest[: NUMBER_AT_MOST - len(prefix) - 1]}"[:NUMBER_AT_MOST]


def request_key(intent: InvoiceIntent) -> str:
    """The ledger's idempotency key: the intent and exactly what is sent; at most 50 characters."""
    return hashlib.sha256(f"{intent.intent_id}:{intent.draft!r}".encode()).hexdigest()[:40]


def equals(invoice: LedgerInvoice, draft: InvoiceDraft) -> bool:
    """To the cent, and in the same currency."""
    return invoice.total == draft.total and invoice.tax == draft.tax


def believed(known: LedgerInvoice | None, read: LedgerInvoice) -> LedgerInvoice:
    """The newer of two readings by the ledger's own version, never by status (I24). Of one version the later reading
    counts: some ledgers move a balance without a new version."""
    if known is None or read.version >= known.version:
        return read
    return known

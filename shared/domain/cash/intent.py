"""Invoice intents: one per contract and instalment, made before any call to the ledger (I23)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.cash.accounting import InvoiceDraft, LedgerInvoice
from shared.domain.cash.money import Money
from shared.domain.ids import short_id
from shared.domain.lease import FREE, Lease

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


@dataclass(frozen=True, slots=True)
class InvoiceIntent:
    """draft: exactly what is sent, kept so that a repeat sends the same. expected: the quote's figures for it. invoice:
    as the ledger last had it, by version."""

    intent_id: str
    deal_id: str
    contract_id: str
    instalment: int
    connection_id: str
    number: str
    expected: Money
    state: IntentState
    planned_at: datetime
    draft: InvoiceDraft | None = None
    invoice: LedgerInvoice | None = None
    reason: str = ""
    calls: int = 0
    by_hand: bool = False
    lease: Lease = FREE


def intent_id(contract_id: str, instalment: int) -> str:
    return short_id("i", "invoice-intent", contract_id, instalment)


def invoice_number(intent: str, prefix: str = "INV") -> str:
    """Our number, made from the intent, at most 21 characters: the same intent always has the same number."""
    digest = base64.b32encode(hashlib.sha256(intent.encode()).digest()).decode()
    return f"{prefix}-{digest[: NUMBER_AT_MOST - len(prefix) - 1]}"[:NUMBER_AT_MOST]


def request_key(intent: InvoiceIntent) -> str:
    """The ledger's idempotency key: the intent and exactly what is sent; at most 50 characters."""
    return hashlib.sha256(f"{intent.intent_id}:{intent.draft!r}".encode()).hexdigest()[:40]


def believed(known: LedgerInvoice | None, read: LedgerInvoice) -> LedgerInvoice:
    """The newer of two readings by the ledger's own version, never by status (I24)."""
    if known is None or read.version >= known.version:
        return read
    return known

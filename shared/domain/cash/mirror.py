"""What stands in the ledger as we last read it, and what somebody changed there (Q11, Q12).

The ledger owns its invoices. What both sides agreed on is kept, so that an edit made there shows field by field and a
person decides; paid, void and credited need no decision.
"""

from __future__ import annotations

from datetime import date

from shared.domain.cash.accounting import LedgerInvoice, LedgerPayment, PaymentKind
from shared.domain.cash.deal_money import NOT_OWED
from shared.domain.cash.money import Money
from shared.domain.ids import short_id
from shared.domain.values import dataclass


def invoice_key(connection_id: str, invoice_id: str) -> str:
    """Two ledgers may give two invoices one id."""
    return short_id("l", "ledger-invoice", connection_id, invoice_id)


def payment_key(connection_id: str, kind: PaymentKind, payment_id: str) -> str:
    return short_id("l", "ledger-payment", connection_id, kind.value, payment_id)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The fields of an invoice as both sides last agreed on them."""

    number: str
    customer_id: str
    total: Money
    tax: Money
    due_on: date | None


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that was changed in the ledger; both sides as a person reads them."""

    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class InvoiceMirror:
    """An invoice of the ledger. deal_id: None for one that was made there and is not matched to a deal. customer_id,
    connection_id: for finding it. agreed: None for one we did not make. detached: edits there are no conflict any more.
    record_number: of one that we made, see `InvoiceIntent`.
    """

    invoice: LedgerInvoice
    connection_id: str
    customer_id: str
    deal_id: str | None = None
    contract_id: str | None = None
    intent_id: str | None = None
    agreed: Agreed | None = None
    detached: bool = False
    record_number: str = ""

    @property
    def key(self) -> str:
        return invoice_key(self.connection_id, self.invoice.invoice_id)

    @property
    def conflicts(self) -> tuple[FieldConflict, ...]:
        if self.agreed is None or self.detached or self.invoice.status in NOT_OWED:
            return ()
        ours, theirs = self.agreed, agreed_of(self.invoice)
        pairs = (
            ("number", ours.number, theirs.number),
            ("customer", ours.customer_id, theirs.customer_id),
            ("total", ours.total, theirs.total),
            ("tax", ours.tax, theirs.tax),
            ("due date", ours.due_on, theirs.due_on),
        )
        return tuple(
            FieldConflict(name, str(one or "none"), str(other or "none")) for name, one, other in pairs if one != other
        )


def agreed_of(invoice: LedgerInvoice) -> Agreed:
    return Agreed(invoice.number, invoice.customer_id, invoice.total, invoice.tax, invoice.due_on)


@dataclass(frozen=True, slots=True)
class PaymentMirror:
    """A payment, credit or refund of the ledger, by its newest version. deal_ids: whose invoices it touched, last or
    ever."""

    payment: LedgerPayment
    connection_id: str
    deal_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        return payment_key(self.connection_id, self.payment.kind, self.payment.payment_id)

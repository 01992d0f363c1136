"""What a deal shows of its money: invoiced, paid, credited, outstanding, overdue (Q11, Q14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from shared.domain.cash.accounting import InvoiceStatus, LedgerInvoice, LedgerPayment, PaymentKind
from shared.domain.cash.money import Money, total
from shared.domain.values import dataclass


class DealMoneyState(StrEnum):
    NOT_INVOICED = "not_invoiced"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"


RANK = {state: rank for rank, state in enumerate(DealMoneyState)}
"""How far each is from nothing to everything."""


@dataclass(frozen=True, slots=True)
class DealStanding:
    """Where a deal's money stands, kept beside its invoices: whoever writes an invoice writes this under its guard,
    so that two invoices paid at once come to `paid`. written: how often, so that every writing changes it.
    open_again: what was paid was taken back, and no payment came since."""

    deal_id: str
    state: DealMoneyState = DealMoneyState.NOT_INVOICED
    written: int = 0
    open_again: bool = False


@dataclass(frozen=True, slots=True)
class DealMoney:
    """In one currency. paid: what came in for the invoices, credits left out. refunded: what went back to the customer.
    overdue: outstanding on invoices whose due date has passed; ours to compute, whether or not an event comes."""

    state: DealMoneyState
    invoiced: Money
    paid: Money
    credited: Money
    refunded: Money
    outstanding: Money
    overdue: Money
    overdue_days: int


NOT_OWED = frozenset({InvoiceStatus.VOID, InvoiceStatus.DELETED})


class ShownStatus(StrEnum):
    """Of one invoice, as a person reads it (Q11). draft: in the ledger, not sent to the customer."""

    DRAFT = "draft"
    SENT = "sent"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    OVERDUE = "overdue"
    VOID = "void"


def shown_status(invoice: LedgerInvoice, today: date) -> ShownStatus:
    """What is paid is not overdue, and what is overdue is said before what came in. today: in the ledger's zone."""
    if invoice.status in NOT_OWED:
        return ShownStatus.VOID
    if invoice.balance.minor <= 0:
        return ShownStatus.PAID
    if is_overdue(invoice, today):
        return ShownStatus.OVERDUE
    if invoice.status is InvoiceStatus.PARTIALLY_PAID:
        return ShownStatus.PARTIALLY_PAID
    return ShownStatus.SENT if invoice.emailed else ShownStatus.DRAFT


def is_overdue(invoice: LedgerInvoice, today: date) -> bool:
    owed = invoice.status not in NOT_OWED and invoice.balance.minor > 0
    return owed and invoice.due_on is not None and invoice.due_on < today


SENTENCES = {
    DealMoneyState.NOT_INVOICED: "Nothing is invoiced yet.",
    DealMoneyState.OPEN: "What was invoiced is not paid yet.",
    DealMoneyState.PARTIALLY_PAID: "What was invoiced is paid in part.",
    DealMoneyState.PAID: "What was invoiced is paid.",
}
SENTENCES_AGAIN = {
    DealMoneyState.OPEN: "What was paid is open again: nothing of what was invoiced is paid now.",
    DealMoneyState.PARTIALLY_PAID: "What was paid is open again in part: the rest of what was invoiced is still paid.",
}


def money_sentence(invoices: Sequence[LedgerInvoice], today: date, *, open_again: bool = False) -> str:
    """Where the money stands, without amounts: for people whose business the figures are not (R2).

    open_again: a payment was taken back, see `DealStanding`.
    """
    state = money_state(invoices)
    late = [(today - invoice.due_on).days for invoice in invoices if invoice.due_on and is_overdue(invoice, today)]
    days = f"{max(late)} day{'s' if max(late) > 1 else ''}" if late else ""
    stands = (open_again and SENTENCES_AGAIN.get(state)) or SENTENCES[state]
    return stands + (f" It is overdue by {days}." if late else "")


def money_state(invoices: Iterable[LedgerInvoice]) -> DealMoneyState:
    """By what is still owed, in whatever currencies."""
    owed = [invoice for invoice in invoices if invoice.status not in NOT_OWED]
    if not owed:
        return DealMoneyState.NOT_INVOICED
    if all(invoice.balance.minor <= 0 for invoice in owed):
        return DealMoneyState.PAID
    if all(invoice.balance == invoice.total for invoice in owed):
        return DealMoneyState.OPEN
    return DealMoneyState.PARTIALLY_PAID


def deal_money(
    invoices: Iterable[LedgerInvoice], payments: Sequence[LedgerPayment], currency: str, today: date
) -> DealMoney:
    """Of one deal, in one of its currencies. today: in the ledger's time zone."""
    same = [invoice for invoice in invoices if invoice.total.currency == currency]
    owed = [invoice for invoice in same if invoice.status not in NOT_OWED]
    invoiced = total((invoice.total for invoice in owed), currency)
    outstanding = total((invoice.balance for invoice in owed), currency)
    ids = {invoice.invoice_id for invoice in owed}
    counted = [payment for payment in payments if not payment.voided and payment.amount.currency == currency]
    credited = sum(
        minor
        for payment in counted
        if payment.kind is PaymentKind.CREDIT_MEMO
        for invoice_id, minor in payment.applied.items()
        if invoice_id in ids
    )
    refunds = (payment.amount for payment in counted if payment.kind is PaymentKind.REFUND)
    late = [invoice for invoice in owed if is_overdue(invoice, today)]
    return DealMoney(
        state=money_state(owed),
        invoiced=invoiced,
        paid=invoiced - outstanding - Money(credited, currency),
        credited=Money(credited, currency),
        refunded=total(refunds, currency),
        outstanding=outstanding,
        overdue=total((invoice.balance for invoice in late), currency),
        overdue_days=max(((today - invoice.due_on).days for invoice in late if invoice.due_on), default=0),
    )

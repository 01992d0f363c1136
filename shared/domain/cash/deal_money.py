"""What a deal shows of its money: invoiced, paid, credited, outstanding, overdue (Q11, Q14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.domain.cash.accounting import InvoiceStatus, LedgerInvoice, LedgerPayment, PaymentKind
from shared.domain.cash.money import Money, total


class DealMoneyState(StrEnum):
    NOT_INVOICED = "not_invoiced"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"


RANK = {state: rank for rank, state in enumerate(DealMoneyState)}
"""How far each is from nothing to everything."""


@dataclass(frozen=True, slots=True)
class DealStanding:
    """Where a deal's money stands, kept beside its invoices: whoever writes an invoice writes this under its guard, so
    that two invoices paid at once come to `paid`. written: how often, so that every writing changes it."""

    deal_id: str
    state: DealMoneyState = DealMoneyState.NOT_INVOICED
    written: int = 0


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
    late = [invoice for invoice in owed if invoice.due_on and invoice.due_on < today and invoice.balance.minor > 0]
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

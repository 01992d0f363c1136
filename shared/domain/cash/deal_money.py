"""What a deal shows of its money: invoiced, paid, outstanding, overdue (Q11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.domain.cash.accounting import InvoiceStatus, LedgerInvoice
from shared.domain.cash.money import Money, total


class DealMoneyState(StrEnum):
    NOT_INVOICED = "not_invoiced"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class DealMoney:
    """overdue: outstanding on invoices whose due date has passed; ours to compute, whether or not an event comes."""

    state: DealMoneyState
    invoiced: Money
    paid: Money
    outstanding: Money
    overdue: Money
    overdue_days: int


NOT_OWED = frozenset({InvoiceStatus.VOID, InvoiceStatus.DELETED})


def deal_money(invoices: Iterable[LedgerInvoice], currency: str, today: date) -> DealMoney:
    """today: in the ledger's time zone."""
    owed = [invoice for invoice in invoices if invoice.status not in NOT_OWED]
    invoiced = total((invoice.total for invoice in owed), currency)
    outstanding = total((invoice.balance for invoice in owed), currency)
    late = [invoice for invoice in owed if invoice.due_on and invoice.due_on < today and invoice.balance.minor > 0]
    days = max(((today - invoice.due_on).days for invoice in late if invoice.due_on), default=0)
    return DealMoney(
        state=_state(invoiced, outstanding),
        invoiced=invoiced,
        paid=invoiced - outstanding,
        outstanding=outstanding,
        overdue=total((invoice.balance for invoice in late), currency),
        overdue_days=days,
    )


def _state(invoiced: Money, outstanding: Money) -> DealMoneyState:
    if invoiced.minor == 0:
        return DealMoneyState.NOT_INVOICED
    if outstanding.minor <= 0:
        return DealMoneyState.PAID
    return DealMoneyState.OPEN if outstanding == invoiced else DealMoneyState.PARTIALLY_PAID

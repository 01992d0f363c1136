"""What a deal shows of its money follows from its invoices alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from shared.domain.cash.accounting import InvoiceStatus, LedgerInvoice, LedgerPayment, PaymentKind
from shared.domain.cash.deal_money import DealMoneyState, deal_money, money_state
from shared.domain.cash.money import Money
from tests.cash_world import usd

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TODAY = NOW.date()


def invoice(id_: str, total: str, balance: str, **fields: object) -> LedgerInvoice:
    made = LedgerInvoice(id_, id_, 0, "58", usd(total), usd(0), usd(balance), InvoiceStatus.OPEN, NOW)
    return replace(made, **fields)  # type: ignore[arg-type]  # fields of an invoice, by name


def payment(kind: PaymentKind, amount: str, **applied: int) -> LedgerPayment:
    return LedgerPayment("p", kind, 0, "58", usd(amount), applied, TODAY, NOW)


def test_a_deal_is_paid_when_nothing_is_owed() -> None:
    assert money_state([]) is DealMoneyState.NOT_INVOICED
    assert money_state([invoice("a", "10", "10")]) is DealMoneyState.OPEN
    assert money_state([invoice("a", "10", "0"), invoice("b", "5", "5")]) is DealMoneyState.PARTIALLY_PAID
    assert money_state([invoice("a", "10", "0")]) is DealMoneyState.PAID


def test_void_and_deleted_invoices_are_not_owed() -> None:
    void = invoice("a", "0", "0", status=InvoiceStatus.VOID)
    deleted = invoice("b", "7", "7", status=InvoiceStatus.DELETED)
    assert money_state([void, deleted]) is DealMoneyState.NOT_INVOICED


def test_overdue_is_ours_to_compute_from_the_due_date() -> None:
    late = invoice("a", "10", "4", due_on=date(2026, 2, 20))
    later = invoice("b", "5", "5", due_on=date(2026, 3, 2))
    money = deal_money([late, later], [], "USD", TODAY)
    assert (money.overdue, money.overdue_days, money.outstanding) == (usd(4), 10, usd(9))


def test_a_credit_lowers_what_is_owed_and_is_not_called_paid() -> None:
    credit = payment(PaymentKind.CREDIT_MEMO, "3", a=300)
    refund = payment(PaymentKind.REFUND, "2")
    money = deal_money([invoice("a", "10", "2")], [credit, refund], "USD", TODAY)
    assert (money.invoiced, money.paid, money.credited, money.refunded) == (usd(10), usd(5), usd(3), usd(2))


def test_currencies_are_not_added_up() -> None:
    euros = replace(invoice("b", "5", "5"), total=Money(500, "EUR"), balance=Money(500, "EUR"))
    money = deal_money([invoice("a", "10", "10"), euros], [], "EUR", TODAY)
    assert money.invoiced == Money(500, "EUR")

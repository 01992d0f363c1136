"""One invoice in the ledger, equal to the quote; two payments; and one of them bounces (Q9 to Q11)."""

from __future__ import annotations

from local.run.cash.deal import DealPages, Page, require
from local.run.cash.ledgers import Books, InvoiceThere
from local.run.cash.people import Sellers
from local.run.cash.quoting import amount
from local.run.screen import Screen
from local.run.waiting import NotSeenError

SHOWN = {"paid": "paid", "partially_paid": "partially paid"}


def invoice_and_pay(sellers: Sellers, deal: DealPages, books: Books, screen: Screen) -> None:
    """Raises: NotSeenError, RefusedError."""
    sale, currency = sellers.sale, str(sellers.sale.quote["currency"])
    deal.wait_for_step("invoice.created")
    invoice = the_one(books)
    _equal(invoice, sellers, deal)
    screen.done(
        f"One invoice in {books.name}: {invoice.number}, {amount(invoice.total_minor, currency)}",
        f"counted there: 1; tax {amount(invoice.tax_minor, currency)}; lines equal the quote's",
    )
    paid, payments = 0, []
    for part in sale.payments_minor:
        payments.append(books.pay(invoice.invoice_id, part))
        paid += part
        deal.wait_for_step("payment.received", len(payments), hint=books.told)
        state = "paid" if paid == sale.expected_total_minor else "partially_paid"
        _wait_for_money(deal, state, paid)
        screen.done(f"{sellers.company_name} pays {amount(part, currency)}", f"the deal shows: {SHOWN[state]}")
    books.bounce(payments[-1])
    bounced = sale.payments_minor[-1]
    deal.wait_for_step("payment.unapplied", hint=books.told)
    deal.wait_for_step("deal.open_again", hint=books.told)
    _wait_for_money(deal, "partially_paid", paid - bounced)
    screen.done(f"The second payment bounces: open again, {amount(bounced, currency)} are owed", deal.standing())
    the_one(books)
    require(deal.steps().count("invoice.created") == 1, "one invoice in the chain")


def the_one(books: Books) -> InvoiceThere:
    """Asked of the ledger itself: who makes two invoices would see both there."""
    found = books.invoices()
    if len(found) != 1:
        raise NotSeenError(f"exactly one invoice in {books.name}; there are {len(found)}")
    return found[0]


def _equal(invoice: InvoiceThere, sellers: Sellers, deal: DealPages) -> None:
    sale, money = sellers.sale, deal.money()
    shown = money["invoices"][0]["invoice"]
    require(invoice.total_minor == sale.expected_total_minor, f"an invoice over {sale.expected_total_minor} cents")
    require(invoice.tax_minor == sale.expected_tax_minor, f"an invoice with {sale.expected_tax_minor} cents of tax")
    require(shown["total"]["minor"] == invoice.total_minor, "the same total on the deal")
    require(shown["number"] == invoice.number, "the same invoice number on the deal")
    require(invoice.lines_minor == sale.expected_lines_minor, f"lines of {sale.expected_lines_minor} cents each")


def _wait_for_money(deal: DealPages, state: str, paid_minor: int) -> None:
    def shows() -> bool:
        money: Page = deal.money()["money"][0]
        return (money["state"], money["paid"]["minor"]) == (state, paid_minor)

    deal.wait(shows, f"a deal that is {SHOWN[state]} with {paid_minor} cents paid")

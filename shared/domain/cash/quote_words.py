"""A quote's figures as words, the same on paper and on the page."""

from __future__ import annotations

from decimal import Decimal

from shared.domain.cash.money import Money
from shared.domain.cash.quote import Due, Instalment, Quote, QuoteLine


def sums(quote: Quote) -> tuple[tuple[str, Money], ...]:
    """Label and amount of every row below the lines, the total last."""
    totals = quote.totals
    rows = [("Subtotal", totals.subtotal)]
    if totals.discount.minor:
        rows += [("Discount", Money(-totals.discount.minor, quote.currency)), ("Net", totals.net)]
    if quote.tax_percent:
        rows.append((f"Tax {number(quote.tax_percent)} %", totals.tax))
    return (*rows, (f"Total {quote.currency}", totals.total))


def cells(line: QuoteLine) -> tuple[str, str, str, str, str]:
    """Description, quantity, price, discount, amount."""
    discount = f"{number(line.discount_percent)} %" if line.discount_percent and line.override is None else ""
    return line.description, number(line.quantity), plain(line.unit_price), discount, plain(line.amount)


COLUMNS = ("Description", "Quantity", "Price", "Discount", "Amount")


def due_words(part: Instalment) -> str:
    if part.due is Due.ON_DATE and part.on:
        return f"on {part.on:%d %B %Y}"
    return f"{part.days} days after signing" if part.due is Due.DAYS_AFTER else "at signing"


def plain(amount: Money) -> str:
    """Without its currency."""
    return str(amount).removesuffix(f" {amount.currency}")


def number(value: Decimal) -> str:
    """Without trailing zeros: 10.00 is 10, 2.50 is 2.5."""
    return f"{value.normalize():f}"

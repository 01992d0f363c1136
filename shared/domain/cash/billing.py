"""From a quote's instalment to the invoice that mirrors it, to the cent (Q9)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from shared.domain.cash.accounting import InvoiceDraft, InvoiceLine
from shared.domain.cash.intent import InvoiceIntent
from shared.domain.cash.ledger_settings import DECIDED, LedgerSettings
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Due, Instalment, Quote, QuoteLine, instalments
from shared.errors import InputError


def due_on(part: Instalment, signed_on: date) -> date:
    """When an instalment is to be invoiced."""
    if part.due is Due.ON_DATE and part.on is not None:
        return part.on
    if part.due is Due.DAYS_AFTER and part.days is not None:
        return signed_on + timedelta(days=part.days)
    return signed_on


def draft_of(
    intent: InvoiceIntent, quote: Quote, settings: LedgerSettings, *, customer_key: str, issued_on: date, email: str
) -> InvoiceDraft:
    """Exactly what the ledger is asked to make. customer_key: our company's or contact's id.

    A contract that is paid at once mirrors the quote line by line. An instalment of several is one line, because parts
    of lines would not add up to the cent.
    Raises: InputError with a sentence a finance person acts on, naming what is not mapped.
    """
    match = settings.customers.get(customer_key)
    if match is None or match.state not in DECIDED:
        raise InputError("This customer is not mapped in the ledger yet; map it on the mapping page.")
    if not quote.lines:
        raise InputError(f"Quote {quote.number} has no lines, so there is nothing to invoice.")
    totals, parts = quote.totals, instalments(quote)
    zero = Money(0, quote.currency)
    if settings.company.currency != quote.currency:
        raise InputError(
            f"The quote is in {quote.currency} and {settings.company.name} keeps its books in "
            f"{settings.company.currency}; quote in that currency or connect another ledger."
        )
    whole = len(parts) == 1
    expected = parts[intent.instalment - 1]
    share_of_tax = totals.tax if whole else _share(totals.tax, expected, totals.total)
    lines = (
        tuple(_line(line, settings) for line in quote.lines)
        if whole
        else (_instalment_line(quote, intent, expected - share_of_tax, settings, of=len(parts)),)
    )
    return InvoiceDraft(
        number=intent.number,
        external_id=intent.intent_id,
        customer_id=match.customer_id,
        lines=lines,
        discount=totals.discount if whole else zero,
        tax=share_of_tax,
        total=expected,
        issued_on=issued_on,
        due_on=None,
        term_id=settings.term_id,
        tax_code_id=settings.tax_code_id,
        income_account_id=settings.income_account_id,
        subsidiary_id=settings.subsidiary_id,
        memo=quote.memo,
        email=email,
    )


def _share(tax: Money, part: Money, whole: Money) -> Money:
    return tax.percent(Decimal(part.minor) * 100 / Decimal(whole.minor)) if whole.minor else tax


def _line(line: QuoteLine, settings: LedgerSettings) -> InvoiceLine:
    return InvoiceLine(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price.decimal,
        amount=line.amount,
        item_id=_item(line.product_id, line.description, settings),
        tax_code_id=settings.tax_code_id,
        taxable=line.taxable,
    )


def _instalment_line(
    quote: Quote, intent: InvoiceIntent, net: Money, settings: LedgerSettings, *, of: int
) -> InvoiceLine:
    first = quote.lines[0]
    return InvoiceLine(
        description=f"{quote.number}, instalment {intent.instalment} of {of}",
        quantity=Decimal(1),
        unit_price=net.decimal,
        amount=net,
        item_id=_item(first.product_id, first.description, settings),
        tax_code_id=settings.tax_code_id,
        taxable=any(line.taxable for line in quote.lines),
    )


def _item(product_id: str, description: str, settings: LedgerSettings) -> str:
    item = settings.items.get(product_id) or settings.default_item
    if item is None:
        raise InputError(f"The product of the line '{description}' is not mapped to an item of the ledger.")
    return item

"""From a quote's instalment to the invoice that mirrors it, to the cent (Q9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from shared.domain.cash.accounting import InvoiceDraft, InvoiceLine
from shared.domain.cash.intent import InvoiceIntent
from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.cash.money import Money, rounded, total
from shared.domain.cash.quote import HUNDRED, Due, Instalment, Quote, QuoteLine, instalments
from shared.domain.values import dataclass
from shared.errors import InputError

NO_FACTS: Mapping[str, str] = {}


def due_on(part: Instalment, signed_on: date) -> date:
    """When an instalment is to be invoiced."""
    if part.due is Due.ON_DATE and part.on is not None:
        return part.on
    if part.due is Due.DAYS_AFTER and part.days is not None:
        return signed_on + timedelta(days=part.days)
    return signed_on


def draft_of(
    intent: InvoiceIntent,
    quote: Quote,
    settings: LedgerSettings,
    *,
    customer_id: str,
    issued_on: date,
    email: str,
    facts: Mapping[str, str] = NO_FACTS,
) -> InvoiceDraft:
    """Exactly what the ledger is asked to make. customer_id: the ledger's. facts: our fields that can be mapped.

    A contract that is paid at once mirrors the quote line by line. An instalment of several is one line (and one for
    what is not taxed), because parts of lines would not add up to the cent.
    Raises: InputError with a sentence a finance person acts on, naming what is not mapped.
    """
    if not quote.lines:
        raise InputError(f"Quote {quote.number} has no lines, so there is nothing to invoice.")
    if settings.company.currency != quote.currency:
        raise InputError(
            f"The quote is in {quote.currency} and {settings.company.name} keeps its books in "
            f"{settings.company.currency}; quote in that currency or connect another ledger."
        )
    parts = instalments(quote)
    if len(parts) == 1:
        totals = quote.totals
        lines, discount, tax = tuple(_line(line, quote, settings) for line in quote.lines), totals.discount, totals.tax
    else:
        split = split_instalment(quote, parts[intent.instalment - 1])
        lines, discount, tax = _instalment_lines(quote, intent, split, settings), Money(0, quote.currency), split.tax
    return InvoiceDraft(
        number=intent.number,
        external_id=intent.intent_id,
        customer_id=customer_id,
        lines=lines,
        discount=discount,
        tax=tax,
        total=parts[intent.instalment - 1],
        issued_on=issued_on,
        due_on=None,
        term_id=intent.term_id or settings.term_id,
        tax_code_id=settings.tax_code_id,
        income_account_id=settings.income_account_id,
        subsidiary_id=settings.subsidiary_id,
        memo=quote.memo,
        email=email,
        fields={theirs: facts[ours] for theirs, ours in settings.fields.items() if facts.get(ours)},
    )


def _line(line: QuoteLine, quote: Quote, settings: LedgerSettings) -> InvoiceLine:
    return InvoiceLine(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price.decimal,
        amount=line.amount,
        item_id=_item(line.product_id, line.description, settings),
        tax_code_id=settings.tax_code_id,
        taxable=line.taxable and quote.tax_percent > 0,
    )


def _item(product_id: str, description: str, settings: LedgerSettings) -> str:
    item = settings.items.get(product_id) or settings.default_item
    if item is None:
        raise InputError(f"The product of the line '{description}' is not mapped to an item of the ledger.")
    return item


# --------------------------------------------------------------------------------------------------------- instalments


@dataclass(frozen=True, slots=True)
class Split:
    """An instalment in parts that add up to it. tax: of `taxed`, rounded by the rule, as a ledger that computes tax by
    itself comes to it."""

    taxed: Money
    untaxed: Money
    tax: Money


def split_instalment(quote: Quote, part: Money) -> Split:
    """The instalment's share of what is taxed and what is not.

    Not every amount is a net plus its rounded tax: where none fits, one minor unit moves to the untaxed line.
    """
    currency, totals = quote.currency, quote.totals
    lines = total((line.amount for line in quote.lines), currency)
    plain = total((line.amount for line in quote.lines if not line.taxable), currency)
    if quote.tax_percent == 0 or plain == lines:
        return Split(Money(0, currency), part, Money(0, currency))
    untaxed_share = Decimal(plain.minor) / lines.minor * totals.net.minor / totals.total.minor
    untaxed = rounded(untaxed_share * part.minor)
    for spare in range(2 + int(quote.tax_percent // HUNDRED)):
        gross = part.minor - untaxed - spare
        near = rounded(gross * HUNDRED / (HUNDRED + quote.tax_percent))
        for net in (near, near - 1, near + 1):
            tax = rounded(net * quote.tax_percent / HUNDRED)
            if net >= 0 and net + tax == gross:
                return Split(Money(net, currency), Money(untaxed + spare, currency), Money(tax, currency))
    raise InputError(f"{part} cannot be split into a net amount and {quote.tax_percent} percent tax.")


def _instalment_lines(
    quote: Quote, intent: InvoiceIntent, split: Split, settings: LedgerSettings
) -> tuple[InvoiceLine, ...]:
    first = quote.lines[0]
    item = _item(first.product_id, first.description, settings)
    text = f"{quote.number}, instalment {intent.instalment} of {len(quote.schedule)}"
    mixed = split.taxed.minor != 0 and split.untaxed.minor != 0
    return tuple(
        InvoiceLine(
            description=f"{text} (not taxed)" if mixed and not taxable else text,
            quantity=Decimal(1),
            unit_price=amount.decimal,
            amount=amount,
            item_id=item,
            tax_code_id=settings.tax_code_id,
            taxable=taxable,
        )
        for amount, taxable in ((split.taxed, True), (split.untaxed, False))
        if amount.minor
    )

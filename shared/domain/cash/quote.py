"""Quotes: lines, discounts, tax and what they come to (Q1, Q9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from shared.domain.cash.money import Money, rounded, total
from shared.domain.values import dataclass
from shared.errors import InputError

HUNDRED = Decimal(100)


class QuoteStatus(StrEnum):
    DRAFT = "draft"
    APPROVAL_REQUIRED = "approval_required"
    SENT = "sent"
    VIEWED = "viewed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


OPEN = frozenset({QuoteStatus.SENT, QuoteStatus.VIEWED})
EDITABLE = frozenset({QuoteStatus.DRAFT, QuoteStatus.SENT, QuoteStatus.VIEWED, QuoteStatus.EXPIRED})
"""What can be sent (again). What was accepted or declined stays as it was."""


@dataclass(frozen=True, slots=True)
class PriceBreak:
    """From this quantity on a unit costs this."""

    at_least: Decimal
    unit_price: Money


def price_of(quantity: Decimal, usual: Money, breaks: Sequence[PriceBreak]) -> Money:
    """What a unit costs when so many are bought: by the highest break that is reached."""
    reached = [one for one in breaks if quantity >= one.at_least]
    return max(reached, key=lambda one: one.at_least).unit_price if reached else usual


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """unit_price: copied when the line is made; later prices do not move it. discount_percent: of this line.
    override: a price typed for the whole line instead. product_id: what the ledger's item is mapped from."""

    line_id: str
    product_id: str
    description: str
    quantity: Decimal
    unit_price: Money
    discount_percent: Decimal = Decimal(0)
    override: Money | None = None
    taxable: bool = True

    @property
    def amount(self) -> Money:
        """After its discount, rounded once."""
        if self.override is not None:
            return self.override
        gross = self.quantity * Decimal(self.unit_price.minor)
        return Money(rounded(gross * (HUNDRED - self.discount_percent) / HUNDRED), self.unit_price.currency)


class Due(StrEnum):
    AT_SIGNING = "at_signing"
    ON_DATE = "on_date"
    DAYS_AFTER = "days_after"


@dataclass(frozen=True, slots=True)
class Instalment:
    """Part of the total: `percent` of it, or `amount`. What rounding left over falls to the next one."""

    number: int
    due: Due = Due.AT_SIGNING
    percent: Decimal | None = Decimal(100)
    amount: Money | None = None
    on: date | None = None
    days: int | None = None


DEFAULT_SCHEDULE = (Instalment(1),)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepted, when, from where, and exactly what: the digest of the PDF they saw."""

    name: str
    email: str
    at: datetime
    ip: str
    pdf_sha256: str


@dataclass(frozen=True, slots=True)
class Totals:
    """subtotal: of the lines. net: after the discount on the whole. tax: on the taxable part of net. total: due."""

    subtotal: Money
    discount: Money
    net: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Quote:
    """discount_percent or discount_amount: on the whole, before tax; at most one of them. tax_percent: one rate for
    the whole. expires_on: the last day it can be accepted. link: digest of the token in the tracked link; the token
    itself is nowhere. pdf_sha256: of the document that was sent, by which it is stored. opens: how often a person
    opened it on the page. sets_amount: accepted, its total becomes the deal's amount. renews: the contract it
    continues. approved_percent, approved_by: how much off the list price was approved, and by whom."""

    quote_id: str
    number: str
    deal_id: str
    contact_id: str
    currency: str
    lines: tuple[QuoteLine, ...]
    tax_percent: Decimal = Decimal(0)
    discount_percent: Decimal | None = None
    discount_amount: Money | None = None
    schedule: tuple[Instalment, ...] = DEFAULT_SCHEDULE
    status: QuoteStatus = QuoteStatus.DRAFT
    expires_on: date | None = None
    memo: str = ""
    link: str | None = None
    sent_at: datetime | None = None
    opens: int = 0
    acceptance: Acceptance | None = None
    pdf_sha256: str | None = None
    viewed_at: datetime | None = None
    declined_at: datetime | None = None
    decline_reason: str = ""
    renewal_asked_at: datetime | None = None
    sets_amount: bool = True
    renews: str | None = None
    approved_percent: Decimal | None = None
    approved_by: str | None = None

    @property
    def open(self) -> bool:
        """The customer has it and has not decided."""
        return self.status in OPEN

    def expired(self, today: date) -> bool:
        """Past its last day without a decision. today: a UTC day."""
        lapsed = self.open and self.expires_on is not None and today > self.expires_on
        return lapsed or self.status is QuoteStatus.EXPIRED

    @property
    def totals(self) -> Totals:
        """By the rounding rule of domain.cash.money. A discount on the whole lowers taxable and untaxed lines alike."""
        subtotal = total((line.amount for line in self.lines), self.currency)
        discount = self.discount_amount or Money(0, self.currency)
        if self.discount_percent is not None:
            discount = subtotal.percent(self.discount_percent)
        net = subtotal - discount
        taxable = total((line.amount for line in self.lines if line.taxable), self.currency)
        share = Decimal(taxable.minor) / Decimal(subtotal.minor) if subtotal.minor else Decimal(0)
        base = Decimal(net.minor) * share
        tax = Money(rounded(base * self.tax_percent / HUNDRED), self.currency)
        return Totals(subtotal, discount, net, tax, net + tax)


def discount_share(quote: Quote) -> Decimal:
    """Percent that lines, typed prices and the discount on the whole take off the prices of the lines, before tax.

    Raises: InputError for mixed currencies.
    """
    listed = total(
        (Money(rounded(line.quantity * line.unit_price.minor), line.unit_price.currency) for line in quote.lines),
        quote.currency,
    )
    off = listed - quote.totals.net
    return HUNDRED * off.minor / listed.minor if listed.minor > 0 else Decimal(0)


def require_sendable(quote: Quote) -> None:
    """Raises: InputError with the sentence a salesperson or a finance person acts on."""
    if quote.status is QuoteStatus.APPROVAL_REQUIRED:
        raise InputError(f"Quote {quote.number} has a discount that waits for approval; it can be sent after that.")
    if quote.status not in EDITABLE:
        raise InputError(f"Quote {quote.number} was {quote.status} already; make a new quote to change it.")
    if not quote.lines:
        raise InputError(f"Quote {quote.number} has no lines; add at least one.")
    currencies = {quote.currency} | {line.unit_price.currency for line in quote.lines}
    currencies |= {line.override.currency for line in quote.lines if line.override}
    currencies |= {quote.discount_amount.currency} if quote.discount_amount else set()
    if len(currencies) > 1:
        raise InputError(f"Quote {quote.number} mixes {' and '.join(sorted(currencies))}; use one currency.")
    if quote.discount_percent is not None and quote.discount_amount is not None:
        raise InputError(f"Quote {quote.number} has two discounts on the whole; keep one.")
    if any(line.quantity <= 0 for line in quote.lines):
        raise InputError(f"Quote {quote.number} has a line whose quantity is not positive.")
    if any(not 0 <= line.discount_percent <= HUNDRED for line in quote.lines):
        raise InputError(f"Quote {quote.number} has a line discount that is not between 0 and 100 percent.")
    if quote.discount_percent is not None and not 0 <= quote.discount_percent <= HUNDRED:
        raise InputError(f"Quote {quote.number} has a discount that is not between 0 and 100 percent.")
    if quote.discount_amount is not None and quote.discount_amount.minor < 0:
        raise InputError(f"Quote {quote.number} has a negative discount.")
    if any(line.amount.minor < 0 for line in quote.lines):
        raise InputError(f"Quote {quote.number} has a line with a negative amount; use a discount instead.")
    if quote.tax_percent < 0:
        raise InputError(f"Quote {quote.number} has a negative tax.")
    if quote.totals.total.minor <= 0:
        raise InputError(f"Quote {quote.number} comes to {quote.totals.total}; a quote must come to more than zero.")
    instalments(quote)


def instalments(quote: Quote) -> tuple[Money, ...]:
    """What each instalment comes to; together they are the total, to the minor unit.

    Raises: InputError for a schedule that does not add up.
    """
    whole = quote.totals.total
    if not quote.schedule or [part.number for part in quote.schedule] != list(range(1, len(quote.schedule) + 1)):
        raise InputError(f"The schedule of quote {quote.number} numbers its instalments 1, 2, 3 ...")
    percent = sum((part.percent for part in quote.schedule if part.percent is not None), Decimal(0))
    by_amount = total((part.amount for part in quote.schedule if part.amount is not None), quote.currency)
    if all(part.amount is None for part in quote.schedule):
        if percent != HUNDRED:
            raise InputError(f"The schedule of quote {quote.number} adds up to {percent} percent; it must be 100.")
        if any((part.percent or Decimal(0)) < 0 for part in quote.schedule):
            raise InputError(f"The schedule of quote {quote.number} has a negative instalment.")
        return _shares(whole, [part.percent or Decimal(0) for part in quote.schedule])
    if percent or by_amount != whole:
        raise InputError(f"The schedule of quote {quote.number} adds up to {by_amount}; it must be {whole}.")
    return tuple(part.amount for part in quote.schedule if part.amount is not None)


def _shares(whole: Money, percents: Sequence[Decimal]) -> tuple[Money, ...]:
    """What is due up to each instalment is rounded, and an instalment is what that grew by: none is ever negative,
    however small the total, and together they are the whole."""
    due = [whole.percent(sum(percents[:upto], Decimal(0))) for upto in range(len(percents) + 1)]
    return tuple(later - earlier for earlier, later in pairwise(due))

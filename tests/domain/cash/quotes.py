"""Random quotes that may be sent, for properties."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume
from hypothesis import strategies as st

from shared.domain.cash.money import Money
from shared.domain.cash.quote import Due, Instalment, Quote, QuoteLine, require_sendable
from shared.errors import InputError

CURRENCIES = ("USD", "JPY", "KWD")

quantities = st.decimals("0.01", "999", places=2)
percents = st.decimals("0", "100", places=2)
tax_rates = st.sampled_from([Decimal(rate) for rate in ("0", "5", "7.7", "8", "8.875", "19", "20", "25.5")])


@st.composite
def lines(draw: st.DrawFn, currency: str) -> QuoteLine:
    override = draw(st.none() | st.integers(0, 10_000_000))
    return QuoteLine(
        line_id="l",
        product_id="p",
        description="Work",
        quantity=draw(quantities),
        unit_price=Money(draw(st.integers(0, 5_000_000)), currency),
        discount_percent=draw(percents),
        override=None if override is None else Money(override, currency),
        taxable=draw(st.booleans()),
    )


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Instalment, ...]:
    """In whole percent, from one to four parts."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=3)))
    parts = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    return tuple(Instalment(number, Due.AT_SIGNING, Decimal(part)) for number, part in enumerate(parts, 1))


@st.composite
def sendable_quotes(draw: st.DrawFn) -> Quote:
    currency = draw(st.sampled_from(CURRENCIES))
    items = tuple(draw(st.lists(lines(currency), min_size=1, max_size=5)))
    whole = draw(st.sampled_from(["none", "percent", "amount"]))
    quote = Quote(
        quote_id="q",
        number="QT-1",
        deal_id="d",
        contact_id="c",
        currency=currency,
        lines=items,
        tax_percent=draw(tax_rates),
        discount_percent=draw(percents) if whole == "percent" else None,
        discount_amount=Money(draw(st.integers(0, 1_000_000)), currency) if whole == "amount" else None,
        schedule=draw(schedules()),
    )
    try:
        require_sendable(quote)
    except InputError:
        assume(False)
    return quote

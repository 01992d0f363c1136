"""Invoices mirror their quotes, to the smallest unit of the currency."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings

from shared.domain.cash.accounting import InvoiceDraft
from shared.domain.cash.billing import draft_of, due_on, split_instalment
from shared.domain.cash.intent import IntentState, InvoiceIntent, equals, intent_id, invoice_number, request_key
from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.cash.money import Money, total
from shared.domain.cash.quote import Due, Instalment, Quote, instalments
from shared.errors import InputError
from tests.cash_world import WORKED_EXAMPLE, line, usd
from tests.domain.cash.quotes import sendable_quotes
from tests.fake_ledger import COMPANY, FakeLedger
from tests.fakes import FakeClock

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def a_quote(**fields: object) -> Quote:
    quote = Quote("q", "QT-1", "d", "c", "USD", WORKED_EXAMPLE, tax_percent=Decimal(8), discount_amount=usd(2000))
    return replace(quote, **fields)  # type: ignore[arg-type]  # fields of a quote, by name


def an_intent(instalment: int = 1, expected: Money | None = None) -> InvoiceIntent:
    id_ = intent_id("acme", "ct-1", instalment)
    amount = expected or usd("22680.00")
    return InvoiceIntent(
        id_, "d", "ct-1", instalment, "n", invoice_number(id_), amount, IntentState.PLANNED, NOW, NOW, "co"
    )


def settings_in(currency: str = "USD", **fields: object) -> LedgerSettings:
    company = replace(COMPANY, currency=currency)
    return replace(LedgerSettings("n", "quickbooks", company, default_item="1"), **fields)  # type: ignore[arg-type]  # by name


def draft(quote: Quote, instalment: int = 1, ledger: LedgerSettings | None = None) -> InvoiceDraft:
    mapped = ledger or settings_in(quote.currency)
    return draft_of(an_intent(instalment), quote, mapped, customer_id="58", issued_on=TODAY, email="")


# ---------------------------------------------------------------------------------------------------- one invoice


def test_the_worked_example_is_mirrored_line_by_line() -> None:
    made = draft(a_quote())
    assert [str(line.amount.decimal) for line in made.lines] == ["6750.00", "12000.00", "4250.00"]
    assert (made.discount, made.tax, made.total) == (usd("2000.00"), usd("1680.00"), usd("22680.00"))


@settings(max_examples=300, deadline=None)
@given(sendable_quotes())
def test_an_invoice_equals_its_quote_in_a_ledger_that_computes_tax_by_itself(quote: Quote) -> None:
    """Whatever lines, discounts, tax and schedule: what the ledger adds up is what the quote says, in every part."""
    ledger = FakeLedger(FakeClock(), company=replace(COMPANY, currency=quote.currency))
    ledger.tax_percent = quote.tax_percent
    parts = instalments(quote)
    made = []
    for number, expected in enumerate(parts, 1):
        if expected.minor <= 0:  # a schedule may give a part nothing of a small total
            continue
        asked = draft(quote, number)
        invoice = ledger.create_invoice(asked, f"key-{number}")
        assert equals(invoice, asked)
        assert invoice.total == expected
        made.append(invoice.total)
    assert total(made, quote.currency) == quote.totals.total


@settings(max_examples=300, deadline=None)
@given(sendable_quotes())
def test_an_instalment_splits_into_parts_that_add_up(quote: Quote) -> None:
    for part in instalments(quote):
        if part.minor <= 0:
            continue
        split = split_instalment(quote, part)
        assert split.taxed + split.untaxed + split.tax == part
        assert split.tax == split.taxed.percent(quote.tax_percent)


def test_a_total_of_two_cents_in_four_parts_owes_nothing_twice() -> None:
    quarters = tuple(Instalment(number, percent=Decimal(25)) for number in range(1, 5))
    quote = a_quote(lines=(line("1", "0.02"),), tax_percent=Decimal(0), discount_amount=None, schedule=quarters)
    assert [part.minor for part in instalments(quote)] == [1, 0, 1, 0]


def test_a_schedule_with_a_negative_part_is_refused() -> None:
    parts = (Instalment(1, percent=Decimal(110)), Instalment(2, percent=Decimal(-10)))
    with pytest.raises(InputError, match="negative instalment"):
        instalments(a_quote(schedule=parts))


def test_a_quote_without_tax_asks_the_ledger_for_none() -> None:
    assert not any(line.taxable for line in draft(a_quote(tax_percent=Decimal(0))).lines)


def test_an_unmapped_product_is_named() -> None:
    with pytest.raises(InputError, match="product of the line 'Licence' is not mapped"):
        draft(a_quote(), ledger=settings_in(default_item=None))


def test_another_currency_than_the_books_is_refused_with_both() -> None:
    with pytest.raises(InputError, match="in USD and Acme Books keeps its books in EUR"):
        draft(a_quote(), ledger=settings_in("EUR"))


def test_a_quote_without_lines_is_not_invoiced() -> None:
    with pytest.raises(InputError, match="no lines"):
        draft(a_quote(lines=()))


# ------------------------------------------------------------------------------------------------- numbers and keys


def test_a_number_is_made_from_the_intent_and_fits_the_ledger() -> None:
    assert invoice_number(intent_id("acme", "ct-1", 1)) == invoice_number(intent_id("acme", "ct-1", 1))
    assert invoice_number(intent_id("acme", "ct-1", 1)) != invoice_number(intent_id("acme", "ct-1", 2))
    assert len(invoice_number(intent_id("acme", "ct-1", 1))) == 21


def test_the_request_key_is_the_intent_and_exactly_what_is_sent() -> None:
    same = replace(an_intent(), draft=draft(a_quote()))
    other = replace(same, draft=draft(a_quote(memo="Thank you")))
    assert request_key(same) == request_key(replace(same, calls=3))
    assert request_key(same) != request_key(other)
    assert len(request_key(same)) <= 50


# ------------------------------------------------------------------------------------------------------- due dates


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Instalment(1), date(2026, 3, 2)),
        (Instalment(1, Due.ON_DATE, on=date(2026, 6, 1)), date(2026, 6, 1)),
        (Instalment(1, Due.DAYS_AFTER, days=30), date(2026, 4, 1)),
    ],
)
def test_an_instalment_is_invoiced_when_it_falls_due(part: Instalment, expected: date) -> None:
    assert due_on(part, TODAY) == expected

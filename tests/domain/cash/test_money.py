"""Money is whole minor units of one currency; what a ledger says is taken exactly or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.domain.cash.money import Money, digits_of, from_decimal, rounded, total
from shared.errors import InputError


@pytest.mark.parametrize("currency", ["usd", "US", "USDX", "ÜSD", ""])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(InputError, match="is no currency; it is three letters such as USD"):
        Money(1, currency)


def test_currencies_have_the_digits_of_the_standard() -> None:
    assert (digits_of("JPY"), digits_of("USD"), digits_of("KWD")) == (0, 2, 3)


def test_money_is_added_and_taken_away_in_one_currency() -> None:
    assert Money(250, "USD") + Money(50, "USD") == Money(300, "USD")
    assert Money(250, "USD") - Money(300, "USD") == Money(-50, "USD")
    assert total([Money(1, "USD"), Money(2, "USD")], "USD") == Money(3, "USD")
    assert total([], "JPY") == Money(0, "JPY")


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(InputError, match="USD and EUR cannot be added up"):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(InputError, match="use one currency"):
        Money(1, "USD") - Money(1, "EUR")
    with pytest.raises(InputError, match="use one currency"):
        assert Money(1, "USD") < Money(1, "EUR")


def test_less_is_less() -> None:
    assert Money(1, "USD") < Money(2, "USD")
    assert not Money(2, "USD") < Money(2, "USD")
    assert not Money(3, "USD") < Money(2, "USD")


@pytest.mark.parametrize(("exact", "whole"), [("0.5", 1), ("0.49", 0), ("-0.5", -1), ("1.5", 2), ("2.5", 3)])
def test_halves_are_rounded_away_from_zero(exact: str, whole: int) -> None:
    assert rounded(Decimal(exact)) == whole


def test_a_share_is_rounded_once() -> None:
    assert Money(9_995, "USD").percent(Decimal("10")) == Money(1_000, "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("22680.00", "USD", 2_268_000), ("22680", "USD", 2_268_000), ("500", "JPY", 500), ("1.234", "KWD", 1_234)],
)
def test_what_a_ledger_says_is_taken_exactly_and_told_the_same(amount: str, currency: str, minor: int) -> None:
    assert from_decimal(amount, currency) == Money(minor, currency)
    assert from_decimal(Decimal(amount), currency).decimal == Decimal(amount)


@pytest.mark.parametrize("amount", ["1.005", "NaN", "Infinity", "-Infinity"])
def test_more_digits_than_the_currency_has_are_refused(amount: str) -> None:
    with pytest.raises(InputError, match="more digits than the currency"):
        from_decimal(amount, "USD")


def test_a_word_is_no_amount() -> None:
    with pytest.raises(InputError, match="'ten' is no amount"):
        from_decimal("ten", "USD")


def test_money_is_told_with_its_digits_and_currency() -> None:
    assert str(Money(2_268_000, "USD")) == "22,680.00 USD"
    assert str(Money(1_500, "JPY")) == "1,500 JPY"

"""What an invoice or credit memo comes to: lines, discount, tax."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from local.netsuite.errors import Json

_CENT = Decimal("0.01")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sums:
    """discount: negative or zero."""

    subtotal: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.discount + self.tax


def completed_line(line: Json, base_price: Decimal) -> Json:
    """A line with quantity, rate and amount: an amount that was given stays, else it is quantity x rate."""
    quantity = line.get("quantity", Decimal(1))
    amount = line.get("amount")
    rate = line.get("rate")
    if amount is None:
        rate = base_price if rate is None else rate
        amount = quantity * rate
    elif rate is None:
        rate = amount / quantity if quantity else _ZERO
    return {**line, "quantity": quantity, "rate": rate, "amount": rounded(amount)}


def sums(lines: Sequence[Json], discount_rate: str, tax_rate: Callable[[str], Decimal]) -> Sums:
    """The discount is taken off before tax, in equal shares of every line.

    Args:
        discount_rate: "-10%" or "-2000.00"; "" for none.
        tax_rate: percent of a tax code, by its id.
    """
    subtotal = sum((line["amount"] for line in lines), _ZERO)
    discount = _discount(discount_rate, subtotal)
    kept = (subtotal + discount) / subtotal if subtotal else Decimal(1)
    taxed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if "taxCode" in line:
            taxed[line["taxCode"]["id"]] += line["amount"] * kept
    tax = sum((rounded(base * tax_rate(code) / 100) for code, base in taxed.items()), _ZERO)
    return Sums(rounded(subtotal), discount, tax)


def rounded(amount: Decimal | int) -> Decimal:
    return Decimal(amount).quantize(_CENT, rounding=ROUND_HALF_UP)


def _discount(rate: str, subtotal: Decimal) -> Decimal:
    if not rate:
        return _ZERO
    if rate.endswith("%"):
        return rounded(subtotal * Decimal(rate[:-1]) / 100)
    return rounded(Decimal(rate))

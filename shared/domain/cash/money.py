"""Money: integer minor units plus a currency, never a float, and one written rounding rule.

**The rounding rule.** An amount is rounded to the currency's minor unit, halves away from zero, exactly once at each of
these places: the total of a line after its discount; a discount on the whole quote given in percent; the tax. Sums are
sums of rounded amounts, so what a reader adds up by hand is what the document says.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from shared.domain.values import dataclass
from shared.errors import InputError

WITHOUT_MINOR_UNITS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
WITH_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def digits_of(currency: str) -> int:
    """Digits after the point, as ISO 4217 has them."""
    if currency in WITHOUT_MINOR_UNITS:
        return 0
    return 3 if currency in WITH_THREE_DIGITS else 2


@dataclass(frozen=True, slots=True)
class Money:
    """minor: in the currency's smallest unit. currency: ISO 4217, three capital letters."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise InputError(f"{self.currency!r} is no currency; it is three letters such as USD.")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise InputError(f"{self.currency} and {other.currency} cannot be added up; use one currency.")
        return other

    def percent(self, percent: Decimal) -> Money:
        """That share of it, rounded by the rule."""
        return Money(rounded(Decimal(self.minor) * percent / 100), self.currency)

    @property
    def decimal(self) -> Decimal:
        """In whole units, for a ledger that takes decimals: 2268000 USD cents are Decimal("22680.00")."""
        return Decimal(self.minor).scaleb(-digits_of(self.currency))

    def __str__(self) -> str:
        return f"{self.decimal:,.{digits_of(self.currency)}f} {self.currency}"


def rounded(minor: Decimal) -> int:
    """To whole minor units, halves away from zero."""
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def from_decimal(amount: Decimal | str, currency: str) -> Money:
    """Exactly what a ledger said. Raises: InputError for more digits than the currency has, or no number."""
    try:
        scaled = Decimal(amount).scaleb(digits_of(currency))
    except InvalidOperation as error:
        raise InputError(f"{amount!r} is no amount.") from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise InputError(f"{amount} {currency} has more digits than the currency.")
    return Money(int(scaled), currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    result = Money(0, currency)
    for amount in amounts:
        result = result + amount
    return result

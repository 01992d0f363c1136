"""What the owner of a simulated company set, and how its sales tax is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from local.quickbooks.errors import ControlError, Json, bad_reference, business

CENT = Decimal("0.01")


@dataclass(slots=True)
class CompanySettings:
    """country: two letters; "US" has codes TAX and NON on lines, every other country numbered codes. tax_percent: what
    automated tax takes. tax_off_by: added to any computed tax, to play a ledger that rounds otherwise. time_zone: told
    only where set. refuses_duplicates: a DocNumber may be used once."""

    realm_id: str
    name: str = "Example Books"
    country: str = "US"
    currency: str = "USD"
    multi_currency: bool = False
    custom_numbers: bool = True
    refuses_duplicates: bool = True
    discounts: bool = True
    sales_tax: bool = True
    automated_tax: bool = True
    tax_percent: Decimal = Decimal(8)
    tax_off_by: Decimal = Decimal(0)
    time_zone: str = ""
    custom_fields: tuple[str, ...] = ()

    def change(self, wish: Json) -> None:
        """Raises: ControlError for a setting there is not."""
        for name, value in wish.items():
            if name not in self.__slots__ or name == "realm_id":
                raise ControlError(f"{name} is no setting; there are {', '.join(self.__slots__)}")
            current = getattr(self, name)
            setattr(self, name, Decimal(str(value)) if isinstance(current, Decimal) else type(current)(value))

    def company_info(self, meta: Json) -> Json:
        told = {"DefaultTimeZone": self.time_zone} if self.time_zone else {}
        return {
            "CompanyName": self.name, "LegalName": self.name, "Country": self.country, **told,
            "domain": "QBO", "sparse": False, "Id": "1", "SyncToken": "4", "MetaData": meta,
        }  # fmt: skip

    def preferences(self, meta: Json) -> Json:
        return {
            "SalesFormsPrefs": {
                "CustomTxnNumbers": self.custom_numbers,
                "AllowDiscount": self.discounts,
                "CustomField": self._custom_fields(),
            },
            "TaxPrefs": {"UsingSalesTax": self.sales_tax, "PartnerTaxEnabled": self.sales_tax and self.automated_tax},
            "CurrencyPrefs": {
                "MultiCurrencyEnabled": self.multi_currency,
                "HomeCurrency": {"value": self.currency},
            },
            "domain": "QBO", "sparse": False, "Id": "1", "SyncToken": "6", "MetaData": meta,
        }  # fmt: skip

    def _custom_fields(self) -> list[Json]:
        """In two groups: which of the three are used, and how they are called."""
        prefix, names = "SalesFormsPrefs", dict(enumerate(self.custom_fields[:3], start=1))
        used: list[Json] = [
            {"Name": f"{prefix}.UseSalesCustom{number}", "Type": "BooleanType", "BooleanValue": number in names}
            for number in (1, 2, 3)
        ]
        called: list[Json] = [
            {"Name": f"{prefix}.SalesCustomName{number}", "Type": "StringType", "StringValue": name}
            for number, name in names.items()
        ]
        return [{"CustomField": used}, *([{"CustomField": called}] if called else [])]


def money(value: Any) -> Decimal:
    """To the cent, halves away from zero."""
    return Decimal(str(value)).quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class SalesLine:
    amount: Decimal
    tax_code: str | None


def sales_tax(
    settings: CompanySettings,
    rates: Mapping[str, Sequence[Decimal]],
    lines: Sequence[SalesLine],
    discount: Decimal,
    body: Json,
) -> Decimal:
    """The tax of one sales form.

    Args:
        rates: percentages by tax code. discount: on the whole form, positive.
        body: the form; its ApplyTaxAfterDiscount, TxnTaxDetail.TxnTaxCodeRef and GlobalTaxCalculation count.
    """
    subtotal = sum((line.amount for line in lines), Decimal(0))
    # A discount that comes off before tax is spread over all lines by their amounts.
    spread = discount if body.get("ApplyTaxAfterDiscount") and subtotal else Decimal(0)
    parts = _us(settings, rates, lines, body) if settings.country == "US" else _elsewhere(settings, rates, lines, body)
    tax = sum(
        (money((amount - amount * spread / (subtotal or 1)) * percent / 100) for amount, percent in parts), Decimal(0)
    )
    return tax + settings.tax_off_by if tax else tax


def _us(
    settings: CompanySettings, rates: Mapping[str, Sequence[Decimal]], lines: Sequence[SalesLine], body: Json
) -> list[tuple[Decimal, Decimal]]:
    for line in lines:
        if line.tax_code not in {None, "TAX", "NON"}:
            raise bad_reference(f"TaxCodeRef {line.tax_code} (lines have TAX or NON)")
    taxable = sum((line.amount for line in lines if line.tax_code == "TAX"), Decimal(0))
    if not settings.sales_tax:
        return []
    if settings.automated_tax:
        return [(taxable, settings.tax_percent)]
    code = ((body.get("TxnTaxDetail") or {}).get("TxnTaxCodeRef") or {}).get("value")
    if code is not None and code not in rates:
        raise bad_reference(f"TxnTaxCodeRef {code}")
    return [(taxable, percent) for percent in rates.get(code or "", ())]


def _elsewhere(
    settings: CompanySettings, rates: Mapping[str, Sequence[Decimal]], lines: Sequence[SalesLine], body: Json
) -> list[tuple[Decimal, Decimal]]:
    mode = body.get("GlobalTaxCalculation")
    if mode not in {"TaxExcluded", "NotApplicable"}:
        raise business(f"GlobalTaxCalculation is {mode}; the simulator knows TaxExcluded and NotApplicable")
    if not settings.sales_tax or mode == "NotApplicable":
        if settings.sales_tax:
            raise business("Make sure all your transactions have a tax rate before you save.")
        return []
    by_code: dict[str, Decimal] = {}
    for line in lines:
        if line.tax_code is None:
            raise business("Make sure all your transactions have a tax rate before you save.")
        if line.tax_code not in rates:
            raise bad_reference(f"TaxCodeRef {line.tax_code}")
        by_code[line.tax_code] = by_code.get(line.tax_code, Decimal(0)) + line.amount
    return [(amount, percent) for code, amount in by_code.items() for percent in rates[code]]

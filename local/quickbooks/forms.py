"""What QuickBooks checks and computes on the forms that the product and its bookkeeper fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from local.quickbooks.errors import Json, VendorError, bad_reference, business, invalid, missing
from local.quickbooks.settings import CompanySettings, SalesLine, money, sales_tax

NUMBER_AT_MOST = 21

_COMMON = frozenset({"Id", "SyncToken", "sparse", "domain", "MetaData", "status"})
_SALES = _COMMON | {
    "DocNumber", "TxnDate", "CustomerRef", "CurrencyRef", "ExchangeRate", "Line", "PrivateNote", "CustomerMemo",
    "BillEmail", "EmailStatus", "ApplyTaxAfterDiscount", "TxnTaxDetail", "GlobalTaxCalculation", "CustomField",
    "TotalAmt", "Balance", "LinkedTxn", "DeliveryInfo",
}  # fmt: skip
PROPERTIES: Mapping[str, frozenset[str]] = {
    "Customer": _COMMON
    | {"DisplayName", "CompanyName", "PrimaryEmailAddr", "PrimaryPhone", "CurrencyRef", "Active", "Balance", "Taxable"},
    "Vendor": _COMMON | {"DisplayName", "Active"},
    "Item": _COMMON | {"Name", "Type", "Active", "IncomeAccountRef", "UnitPrice"},
    "Account": _COMMON | {"Name", "AccountType", "AccountSubType", "Active"},
    "Term": _COMMON | {"Name", "DueDays", "DayOfMonthDue", "Active"},
    "TaxRate": _COMMON | {"Name", "RateValue", "Active"},
    "TaxCode": _COMMON | {"Name", "SalesTaxRateList", "Taxable", "Active"},
    "Invoice": _SALES | {"DueDate", "SalesTermRef"},
    "CreditMemo": _SALES | {"RemainingCredit"},
    "RefundReceipt": _SALES | {"DepositToAccountRef"},
    "Payment": _COMMON
    | {"TxnDate", "CustomerRef", "CurrencyRef", "TotalAmt", "UnappliedAmt", "Line", "PrivateNote", "PaymentRefNum"},
}
NAMED = frozenset({"Customer", "Vendor"})
"""Kinds that share one space of display names."""


class Company(Protocol):
    """What a check may ask of the company."""

    settings: CompanySettings
    tables: dict[str, dict[str, Json]]

    def today(self) -> date: ...
    def next_number(self) -> str: ...
    def open_amount(self, entity: str, record_id: str, without_payment: str | None) -> Decimal: ...


def complete(company: Company, entity: str, body: Json) -> Json:
    """The form as it is stored: checked, with everything filled in that QuickBooks computes.

    Raises: VendorError.
    """
    if unknown := sorted(set(body) - PROPERTIES[entity]):
        raise invalid(f"Property Name: {', '.join(unknown)} is unsupported")
    check = _CHECKS.get(entity)
    return check(company, entity, dict(body)) if check else dict(body)


def _named(company: Company, entity: str, body: Json) -> Json:
    name = body.get("DisplayName")
    if not isinstance(name, str) or not name.strip():
        raise missing("DisplayName")
    if any(forbidden in name for forbidden in ":\t\n"):
        raise invalid("DisplayName contains a colon, tab or line break")
    if len(name) > 500:
        raise VendorError("2050", "String length is either shorter or longer than supported", "DisplayName")
    for kind in NAMED:
        for other in company.tables.get(kind, {}).values():
            is_other = (kind, other["Id"]) != (entity, body.get("Id"))
            if is_other and other.get("Active", True) and other["DisplayName"].casefold() == name.casefold():
                detail = f"The name supplied already exists. : Another customer, vendor or employee. Id={other['Id']}"
                raise VendorError("6240", "Duplicate Name Exists Error", detail)
    body.setdefault("Active", True)
    body.setdefault("CurrencyRef", {"value": company.settings.currency})
    _check_currency(company, body["CurrencyRef"])
    return body


def _check_currency(company: Company, reference: Any) -> None:
    currency = (reference or {}).get("value")
    if currency != company.settings.currency and not company.settings.multi_currency:
        raise business(f"{currency} is not used in this company: multicurrency is off")


def _sales_form(company: Company, entity: str, body: Json) -> Json:
    customer = _referenced(company, "Customer", body.get("CustomerRef"), "CustomerRef")
    body["CustomerRef"] = {"value": customer["Id"], "name": customer["DisplayName"]}
    body.setdefault("CurrencyRef", customer["CurrencyRef"])
    if body["CurrencyRef"].get("value") != customer["CurrencyRef"]["value"]:
        raise business("The currency of the transaction is not the currency of the customer.")
    body.setdefault("TxnDate", company.today().isoformat())
    _number(company, entity, body)
    lines, discount = _lines(company, body)
    rates = {code: _percentages(company, code) for code in company.tables.get("TaxCode", {})}
    tax = sales_tax(company.settings, rates, lines, discount, body)
    subtotal = sum((line.amount for line in lines), Decimal(0))
    body["Line"] = [*body["Line"], {"DetailType": "SubTotalLineDetail", "Amount": subtotal, "SubTotalLineDetail": {}}]
    body["TxnTaxDetail"] = {**(body.get("TxnTaxDetail") or {}), "TotalTax": tax}
    body["TotalAmt"] = subtotal - discount + tax
    if body["TotalAmt"] < 0:
        raise business("Transaction amount must be 0 or greater.")
    body.setdefault("EmailStatus", "NotSet")
    if body["EmailStatus"] == "NeedToSend" and not (body.get("BillEmail") or {}).get("Address"):
        raise missing("BillEmail.Address")
    if entity == "Invoice":
        _due(company, body)
    return body


def _number(company: Company, entity: str, body: Json) -> None:
    number = body.get("DocNumber")
    if not company.settings.custom_numbers:
        stored = company.tables.get(entity, {}).get(str(body.get("Id")))
        body["DocNumber"] = stored["DocNumber"] if stored else company.next_number()
        return
    if number is None:
        return
    if len(str(number)) > NUMBER_AT_MOST:
        raise VendorError("2050", "String length is either shorter or longer than supported", "DocNumber: max 21")
    same = [
        other["Id"]
        for other in company.tables.get(entity, {}).values()
        if other.get("DocNumber") == number and other["Id"] != body.get("Id")
    ]
    if same and company.settings.refuses_duplicates:
        detail = f"Duplicate Document Number Error : You must specify a different number. TxnId={same[0]}"
        raise VendorError("6140", "Duplicate Document Number Error", detail)


def _lines(company: Company, body: Json) -> tuple[list[SalesLine], Decimal]:
    """Lines to sell and the discount on the whole. Lines get their ids; a subtotal that was sent back is dropped."""
    given = [line for line in body.get("Line") or [] if line.get("DetailType") != "SubTotalLineDetail"]
    if not given:
        raise missing("Line")
    found: list[SalesLine] = []
    discount = Decimal(0)
    for number, line in enumerate(given, start=1):
        amount = _amount(line.get("Amount"), f"Line[{number}].Amount")
        if line.get("DetailType") == "DiscountLineDetail":
            if not company.settings.discounts:
                raise business("Discounts are switched off in the company's settings.")
            discount += amount
        elif line.get("DetailType") == "SalesItemLineDetail":
            found.append(_sales_line(company, line, amount))
            line.setdefault("Id", str(number))
            line["LineNum"] = number
        else:
            raise invalid(f"Line[{number}].DetailType {line.get('DetailType')}")
    body["Line"] = given
    return found, discount


def _sales_line(company: Company, line: Json, amount: Decimal) -> SalesLine:
    detail = line.get("SalesItemLineDetail") or {}
    _referenced(company, "Item", detail.get("ItemRef"), "ItemRef")
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    if quantity is not None and price is not None:
        product = money(_number_of(quantity, "Qty") * _number_of(price, "UnitPrice"))
        if product != amount:
            detail_text = f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount}"
            raise VendorError("6070", "Amount is not equal to UnitPrice * Qty", detail_text)
    return SalesLine(amount, (detail.get("TaxCodeRef") or {}).get("value"))


def _amount(value: Any, where: str) -> Decimal:
    if value is None:
        raise missing(where)
    number = _number_of(value, where)
    if number != money(number):
        raise invalid(f"{where} has more than two digits after the point")
    return money(number)


def _number_of(value: Any, where: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise invalid(f"{where} is no number") from None


def _percentages(company: Company, code: str) -> Sequence[Decimal]:
    details = (company.tables["TaxCode"][code].get("SalesTaxRateList") or {}).get("TaxRateDetail") or []
    rates = company.tables.get("TaxRate", {})
    return [Decimal(str(rates[detail["TaxRateRef"]["value"]]["RateValue"])) for detail in details]


def _due(company: Company, body: Json) -> None:
    term = body.get("SalesTermRef")
    found = _referenced(company, "Term", term, "SalesTermRef") if term else {}
    if not body.get("DueDate"):
        days = int(found.get("DueDays") or 0)
        body["DueDate"] = (date.fromisoformat(str(body["TxnDate"])) + timedelta(days=days)).isoformat()


def _payment(company: Company, _entity: str, body: Json) -> Json:
    customer = _referenced(company, "Customer", body.get("CustomerRef"), "CustomerRef")
    body["CustomerRef"] = {"value": customer["Id"], "name": customer["DisplayName"]}
    body.setdefault("CurrencyRef", customer["CurrencyRef"])
    body.setdefault("TxnDate", company.today().isoformat())
    body["TotalAmt"] = _amount(body.get("TotalAmt"), "TotalAmt")
    to_invoices = from_credits = Decimal(0)
    body["Line"] = body.get("Line") or []
    for line in body["Line"]:
        amount = _amount(line.get("Amount"), "Line.Amount")
        linked = (line.get("LinkedTxn") or [{}])[0]
        kind, record = str(linked.get("TxnType")), str(linked.get("TxnId"))
        if kind not in {"Invoice", "CreditMemo"}:
            raise invalid(f"LinkedTxn.TxnType {kind}")
        if record not in company.tables.get(kind, {}):
            raise bad_reference(f"{kind} {record}")
        if amount > company.open_amount(kind, record, without_payment=body.get("Id")):
            raise business(f"You cannot apply more than is open on {kind} {record}.")
        to_invoices += amount if kind == "Invoice" else 0
        from_credits += amount if kind == "CreditMemo" else 0
    if to_invoices - from_credits > body["TotalAmt"]:
        raise business("The amounts applied are more than the payment.")
    body["UnappliedAmt"] = body["TotalAmt"] - (to_invoices - from_credits)
    return body


def _referenced(company: Company, kind: str, reference: Any, name: str) -> Json:
    value = (reference or {}).get("value")
    if value is None:
        raise missing(name)
    found = company.tables.get(kind, {}).get(str(value))
    if found is None or not found.get("Active", True):
        raise bad_reference(f"{name} {value}")
    return found


_CHECKS: Mapping[str, Callable[[Company, str, Json], Json]] = {
    "Customer": _named,
    "Vendor": _named,
    "Invoice": _sales_form,
    "CreditMemo": _sales_form,
    "RefundReceipt": _sales_form,
    "Payment": _payment,
}

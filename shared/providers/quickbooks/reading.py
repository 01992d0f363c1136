"""QuickBooks' documents in our words. Amounts arrive as JSON numbers in whole units (22680.00) and stay exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.domain.cash.accounting import (
    InvoiceStatus,
    LedgerChoice,
    LedgerCustomer,
    LedgerInvoice,
    LedgerPayment,
    PaymentKind,
)
from shared.domain.cash.money import Money, from_decimal
from shared.domain.values import dataclass
from shared.errors import InputError, PayloadError

Json = Mapping[str, Any]

_VOIDED = re.compile(r"\s*voided\b", re.IGNORECASE)
_FIELD_USED = "SalesFormsPrefs.UseSalesCustom"
_FIELD_NAME = "SalesFormsPrefs.SalesCustomName"
_REFERENCE = re.compile(r"\[ref ([^\]\s]+)\]")


def customer_from(body: Json, home_currency: str) -> LedgerCustomer:
    """Source: Customer {"Id", "DisplayName", "GivenName", "FamilyName", "PrimaryEmailAddr": {"Address"},
    "PrimaryPhone": {"FreeFormNumber"}, "Active", "CurrencyRef"}."""
    return LedgerCustomer(
        customer_id=text(body, "Id"),
        name=text(body, "DisplayName"),
        email=str((body.get("PrimaryEmailAddr") or {}).get("Address") or ""),
        active=body.get("Active", True) is True,
        currency=currency_of(body, home_currency),
        phone=str((body.get("PrimaryPhone") or {}).get("FreeFormNumber") or ""),
        first_name=str(body.get("GivenName") or ""),
        last_name=str(body.get("FamilyName") or ""),
    )


def invoice_from(body: Json, home_currency: str) -> LedgerInvoice:
    """Paid, open or void is not said by QuickBooks; it follows from the balance, the total and the note of voiding.

    Source: Invoice {"Id", "SyncToken", "DocNumber", "TotalAmt", "Balance", "TxnTaxDetail": {"TotalTax"}, "EmailStatus",
    "DueDate", "PrivateNote", "MetaData": {"LastUpdatedTime"}}.
    """
    currency = currency_of(body, home_currency)
    total, balance = _money(body, "TotalAmt", currency), _money(body, "Balance", currency)
    reference = _REFERENCE.search(str(body.get("PrivateNote") or ""))
    return LedgerInvoice(
        invoice_id=text(body, "Id"),
        number=str(body.get("DocNumber") or ""),
        version=version_of(body),
        customer_id=_reference(body, "CustomerRef"),
        total=total,
        tax=_money(body.get("TxnTaxDetail") or {}, "TotalTax", currency),
        balance=balance,
        status=_status(total, balance, voided=is_voided(body)),
        updated_at=updated_at_of(body),
        due_on=_date(body, "DueDate"),
        emailed=body.get("EmailStatus") == "EmailSent",
        external_id=reference[1] if reference else None,
    )


def _status(total: Money, balance: Money, *, voided: bool) -> InvoiceStatus:
    if voided:
        return InvoiceStatus.VOID
    if balance.minor == 0:
        return InvoiceStatus.PAID
    return InvoiceStatus.PARTIALLY_PAID if balance < total else InvoiceStatus.OPEN


def is_voided(body: Json) -> bool:
    """A voided document keeps its number, loses its amounts and says so in its private note."""
    return not body.get("TotalAmt") and bool(_VOIDED.match(str(body.get("PrivateNote") or "")))


@dataclass(frozen=True, slots=True)
class Application:
    """What one Payment object did. cash: invoice -> minor units of the money received. credits: credit memo -> invoice
    -> minor units."""

    cash: Mapping[str, int]
    credits: Mapping[str, Mapping[str, int]]


def application_of(body: Json, home_currency: str) -> Application:
    """Tell received money from credit memos, which QuickBooks applies through Payment objects too.

    A Payment of 0.00 that links invoice 7 and credit memo 9 moved credit, not money. Where both meet, the document does
    not say which of them paid which invoice: credits are counted first, in the order of the lines, so that every reader
    comes to the same answer and the sums are right.

    Source: Payment {"Line": [{"Amount", "LinkedTxn": [{"TxnId", "TxnType": "Invoice" | "CreditMemo"}]}]}.
    """
    currency = currency_of(body, home_currency)
    open_parts: dict[str, int] = {}
    memos: list[tuple[str, int]] = []
    for line in body.get("Line") or []:
        amount = _money(line, "Amount", currency).minor
        for linked in (line.get("LinkedTxn") or [])[:1]:
            if linked.get("TxnType") == "Invoice":
                open_parts[text(linked, "TxnId")] = open_parts.get(text(linked, "TxnId"), 0) + amount
            elif linked.get("TxnType") == "CreditMemo":
                memos.append((text(linked, "TxnId"), amount))
    used_credits: dict[str, dict[str, int]] = {}
    for memo, amount in memos:
        left = amount
        for invoice, unpaid in open_parts.items():
            part = min(left, unpaid)
            if part > 0:
                used = used_credits.setdefault(memo, {})
                used[invoice] = used.get(invoice, 0) + part
                open_parts[invoice] -= part
                left -= part
    return Application({invoice: minor for invoice, minor in open_parts.items() if minor}, used_credits)


def payment_from(body: Json, home_currency: str, kind: PaymentKind, applied: Mapping[str, int]) -> LedgerPayment:
    """A Payment, CreditMemo or RefundReceipt; what is not applied to an invoice is the rest of its amount.

    Source: {"Id", "SyncToken", "CustomerRef", "TotalAmt", "TxnDate", "PrivateNote", "MetaData"}.
    """
    paid_on = _date(body, "TxnDate")
    if paid_on is None:
        raise PayloadError("a QuickBooks payment without TxnDate")
    return LedgerPayment(
        payment_id=text(body, "Id"),
        kind=kind,
        version=version_of(body),
        customer_id=_reference(body, "CustomerRef"),
        amount=_money(body, "TotalAmt", currency_of(body, home_currency)),
        applied=applied,
        paid_on=paid_on,
        updated_at=updated_at_of(body),
        voided=is_voided(body),
    )


def choice_from(body: Json) -> LedgerChoice:
    name = str(body.get("FullyQualifiedName") or text(body, "Name"))
    return LedgerChoice(text(body, "Id"), name, active=body.get("Active", True) is True)


def custom_fields_from(preferences: Json) -> tuple[LedgerChoice, ...]:
    """The custom fields that are switched on, by the number that invoices name them with.

    Source: Preferences {"SalesFormsPrefs": {"CustomField": [{"CustomField": [
    {"Name": "SalesFormsPrefs.UseSalesCustom1", "BooleanValue"},
    {"Name": "SalesFormsPrefs.SalesCustomName1", "StringValue"}]}]}}.
    """
    groups = (preferences.get("SalesFormsPrefs") or {}).get("CustomField") or []
    told = {str(kept.get("Name")): kept for group in groups for kept in group.get("CustomField") or []}
    return tuple(
        LedgerChoice(number, str(told.get(f"{_FIELD_NAME}{number}", {}).get("StringValue") or f"Custom field {number}"))
        for number in ("1", "2", "3")
        if told.get(f"{_FIELD_USED}{number}", {}).get("BooleanValue") is True
    )


def term_from(body: Json) -> LedgerChoice:
    """DueDays is missing from terms that name a day of the month."""
    days = body.get("DueDays")
    return LedgerChoice(
        text(body, "Id"), text(body, "Name"), body.get("Active", True) is True, days=None if days is None else int(days)
    )


def tax_code_from(body: Json, rates: Mapping[str, Decimal]) -> LedgerChoice:
    """The percentages of its rates, added up; None for the codes TAX and NON, which have no rates of their own.

    Source: TaxCode {"SalesTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value"}}]}}, TaxRate {"RateValue"}.
    """
    details: list[dict[str, Any]] = (body.get("SalesTaxRateList") or {}).get("TaxRateDetail") or []
    parts = [rates.get(text(detail.get("TaxRateRef") or {}, "value"), Decimal(0)) for detail in details]
    active = body.get("Active", True) is True
    return LedgerChoice(text(body, "Id"), text(body, "Name"), active, rate=sum(parts, Decimal(0)) if parts else None)


def currency_of(body: Json, home_currency: str) -> str:
    """Companies with one currency may leave it out."""
    return str((body.get("CurrencyRef") or {}).get("value") or home_currency)


def version_of(body: Json) -> int:
    """SyncToken: digits that grow with every change."""
    token = text(body, "SyncToken")
    if not token.isascii() or not token.isdecimal():
        raise PayloadError("a QuickBooks object whose SyncToken is no number")
    return int(token)


def updated_at_of(body: Json) -> datetime:
    """MetaData.LastUpdatedTime: ISO 8601 with an offset, to the second."""
    value = text(body.get("MetaData") or {}, "LastUpdatedTime")
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise PayloadError("a QuickBooks object whose LastUpdatedTime is no time") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def text(body: Json, key: str) -> str:
    """Raises: PayloadError where it is missing."""
    value = body.get(key)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise PayloadError(f"a QuickBooks object without {key}")
    return str(value)


def _reference(body: Json, key: str) -> str:
    return text(body.get(key) or {}, "value")


def _money(body: Json, key: str, currency: str) -> Money:
    value = body.get(key)
    try:
        return from_decimal(str(value) if isinstance(value, int) else value or Decimal(0), currency)
    except (InputError, TypeError, ValueError) as error:
        raise PayloadError(f"a QuickBooks object whose {key} is no amount in {currency}") from error


def _date(body: Json, key: str) -> date | None:
    value = body.get(key)
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError as error:
        raise PayloadError(f"a QuickBooks object whose {key} is no date") from error

"""Our documents in QuickBooks' words. Amounts leave as exact JSON numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.domain.cash.accounting import InvoiceDraft, InvoiceLine, NewCustomer
from shared.domain.cash.money import digits_of, rounded
from shared.domain.values import dataclass

TAXED = "TAX"
UNTAXED = "NON"
US_CODES = frozenset({TAXED, UNTAXED})

RESTORED = ("CustomerRef", "Line", "ApplyTaxAfterDiscount", "TxnTaxDetail", "GlobalTaxCalculation", "DueDate")
"""What a draft says about customer, lines, discount and due date."""

_NOT_IN_NAMES = re.compile(r"[:\x00-\x1f\x7f-\x9f]+")


def display_name(name: str) -> str:
    """A name as QuickBooks takes it: no colon, tab or line break, at most 500 characters."""
    return " ".join(_NOT_IN_NAMES.sub(" ", name).split())[:500]


def customer_body(customer: NewCustomer, home_currency: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "DisplayName": display_name(customer.name),
        "CompanyName": display_name(customer.name)[:100],
    }
    if customer.email:
        body["PrimaryEmailAddr"] = {"Address": customer.email}
    if customer.phone:
        body["PrimaryPhone"] = {"FreeFormNumber": customer.phone[:30]}
    if customer.currency and customer.currency != home_currency:
        body["CurrencyRef"] = {"value": customer.currency}
    return body


@dataclass(frozen=True, slots=True)
class TaxModel:
    """us: codes TAX and NON on lines and one tax code for the whole; elsewhere each line has a numbered code.
    untaxed_code: the code of 0 % for lines that are not taxed, where lines have numbered codes."""

    us: bool
    untaxed_code: str | None = None


def line_code(line: InvoiceLine, draft: InvoiceDraft, tax: TaxModel) -> str | None:
    """The tax code of one line; None where the ledger has none to give."""
    if tax.us:
        return line.tax_code_id if line.tax_code_id in US_CODES else TAXED if line.taxable else UNTAXED
    if not line.taxable and line.tax_code_id in {None, draft.tax_code_id}:
        return tax.untaxed_code
    return line.tax_code_id or draft.tax_code_id


def invoice_body(draft: InvoiceDraft, tax: TaxModel) -> dict[str, Any]:
    """The invoice as QuickBooks is asked to make it, unsent.

    The whole discount comes off before tax. Tax itself is left to QuickBooks. Our reference goes into the private note,
    since QuickBooks keeps no external id.

    Source: POST invoice; DiscountLineDetail, ApplyTaxAfterDiscount, TxnTaxDetail.TxnTaxCodeRef, GlobalTaxCalculation.
    """
    lines = [_sales_line(line, draft, tax) for line in draft.lines]
    body: dict[str, Any] = {
        "DocNumber": draft.number,
        "CustomerRef": {"value": draft.customer_id},
        "CurrencyRef": {"value": draft.total.currency},
        "TxnDate": draft.issued_on.isoformat(),
        "EmailStatus": "NotSet",
        "PrivateNote": f"[ref {draft.external_id}]",
        "Line": lines,
    }
    if draft.discount.minor:
        detail = {"PercentBased": False}
        lines.append(
            {"DetailType": "DiscountLineDetail", "Amount": draft.discount.decimal, "DiscountLineDetail": detail}
        )
        body["ApplyTaxAfterDiscount"] = True
    if not tax.us:
        body["GlobalTaxCalculation"] = "TaxExcluded" if any(map(_has_code, lines)) else "NotApplicable"
    elif draft.tax_code_id and draft.tax_code_id not in US_CODES:
        body["TxnTaxDetail"] = {"TxnTaxCodeRef": {"value": draft.tax_code_id}}
    if draft.term_id:
        body["SalesTermRef"] = {"value": draft.term_id}
    if draft.due_on:
        body["DueDate"] = draft.due_on.isoformat()
    if draft.memo:
        body["CustomerMemo"] = {"value": draft.memo[:1000]}
    if draft.email:
        body["BillEmail"] = {"Address": draft.email}
    if draft.fields:
        body["CustomField"] = [
            {"DefinitionId": number, "Type": "StringType", "StringValue": value[:31]}
            for number, value in draft.fields.items()
        ]
    return body


def restoration_body(draft: InvoiceDraft, tax: TaxModel) -> dict[str, Any]:
    """A sparse update that writes the draft over what was edited; sent lines replace all lines there are.

    Source: POST invoice with "sparse": true; a property that is left out keeps its value.
    """
    whole = invoice_body(draft, tax)
    return {"sparse": True, **{name: whole[name] for name in RESTORED if name in whole}}


def _sales_line(line: InvoiceLine, draft: InvoiceDraft, tax: TaxModel) -> dict[str, Any]:
    """QuickBooks multiplies and refuses a line that does not come to its amount (6070): after a line discount, or where
    the price has more digits than money, the line is one piece at its amount."""
    minor = rounded((line.quantity * line.unit_price).scaleb(digits_of(line.amount.currency)))
    agrees = minor == line.amount.minor
    code = line_code(line, draft, tax)
    detail = {
        "ItemRef": {"value": line.item_id},
        "Qty": line.quantity if agrees else Decimal(1),
        "UnitPrice": line.unit_price if agrees else line.amount.decimal,
        **({"TaxCodeRef": {"value": code}} if code else {}),
    }
    return {
        "DetailType": "SalesItemLineDetail",
        "Amount": line.amount.decimal,
        "Description": line.description[:4000],
        "SalesItemLineDetail": detail,
    }


def _has_code(line: Mapping[str, Any]) -> bool:
    return "TaxCodeRef" in (line.get("SalesItemLineDetail") or {})

"""QuickBooks' recorded shapes in our words, and exact numbers both ways."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.cash.accounting import InvoiceStatus
from shared.domain.cash.money import Money
from shared.errors import PayloadError
from shared.providers import exact_json
from shared.providers.quickbooks.reading import application_of, custom_fields_from, customer_from, invoice_from

INVOICE = b"""{
  "DueDate": "2026-04-01", "DocNumber": "INV-AAAABBBBCCCCDDDDE", "EmailStatus": "NotSet", "Balance": 22680.00,
  "TotalAmt": 22680.00, "TxnTaxDetail": {"TotalTax": 1680.00}, "CustomerRef": {"value": "58", "name": "Northwind"},
  "CurrencyRef": {"value": "USD", "name": "United States Dollar"}, "PrivateNote": "[ref i-1]", "Id": "131",
  "SyncToken": "3", "domain": "QBO", "sparse": false,
  "MetaData": {"CreateTime": "2026-03-02T01:00:00-08:00", "LastUpdatedTime": "2026-03-02T01:15:00-08:00"}}"""


def invoice(**changes: Any) -> dict[str, Any]:
    return {**exact_json.loads(INVOICE), **changes}


def test_an_invoice_as_quickbooks_writes_it() -> None:
    found = invoice_from(invoice(), "USD")
    assert (found.invoice_id, found.version, found.customer_id, found.external_id) == ("131", 3, "58", "i-1")
    assert (found.total, found.tax, found.due_on) == (Money(2_268_000, "USD"), Money(168_000, "USD"), date(2026, 4, 1))
    assert found.updated_at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, InvoiceStatus.OPEN),
        ({"Balance": Decimal("0.01")}, InvoiceStatus.PARTIALLY_PAID),
        ({"Balance": 0}, InvoiceStatus.PAID),
        ({"Balance": 0, "TotalAmt": 0}, InvoiceStatus.PAID),
        ({"Balance": 0, "TotalAmt": 0, "PrivateNote": "Voided"}, InvoiceStatus.VOID),
        ({"Balance": 0, "TotalAmt": 0, "PrivateNote": "Voided - [ref i-1]"}, InvoiceStatus.VOID),
        ({"PrivateNote": "Voided the earlier one"}, InvoiceStatus.OPEN),
    ],
)
def test_the_status_follows_from_balance_total_and_note(changes: dict[str, Any], status: InvoiceStatus) -> None:
    assert invoice_from(invoice(**changes), "USD").status is status


def test_a_company_with_one_currency_may_leave_it_out() -> None:
    body = invoice(TotalAmt=1500, Balance=1500, TxnTaxDetail={})
    del body["CurrencyRef"]
    assert invoice_from(body, "JPY").total == Money(1500, "JPY")


@pytest.mark.parametrize(
    "changes",
    [
        {"Id": None}, {"SyncToken": "x"}, {"TotalAmt": Decimal("1.005")}, {"TotalAmt": "much"}, {"MetaData": {}},
        {"DueDate": "soon"}, {"CustomerRef": None},
    ],
)  # fmt: skip
def test_an_invoice_that_cannot_be_read_says_so(changes: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        invoice_from(invoice(**changes), "USD")


def test_a_customer_without_an_address_is_a_customer() -> None:
    found = customer_from({"Id": "58", "DisplayName": "Northwind", "PrimaryEmailAddr": None}, "USD")
    assert (found.customer_id, found.email, found.active, found.currency) == ("58", "", True, "USD")


def payment(*lines: tuple[str, str, str]) -> dict[str, Any]:
    return {"Line": [{"Amount": Decimal(amount), "LinkedTxn": [{"TxnType": kind, "TxnId": record}]}
                     for kind, record, amount in lines]}  # fmt: skip


def test_credit_and_money_in_one_payment_are_told_apart() -> None:
    """300.00 for two invoices, of which a credit memo brought 120.00."""
    found = application_of(
        payment(("Invoice", "7", "100.00"), ("Invoice", "8", "200.00"), ("CreditMemo", "9", "120.00")), "USD"
    )
    assert found.credits == {"9": {"7": 10_000, "8": 2_000}}
    assert found.cash == {"8": 18_000}


def test_a_payment_for_something_else_pays_no_invoice() -> None:
    assert application_of(payment(("JournalEntry", "5", "10.00")), "USD").cash == {}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_amounts_pass_through_json_without_a_float(amount: Decimal) -> None:
    assert exact_json.loads(exact_json.dumps({"Amount": amount})) == {"Amount": amount}
    assert exact_json.dumps([Decimal("22680.00"), "é", None, True, 3]) == '[22680.00,"\\u00e9",null,true,3]'


def test_a_float_is_never_written() -> None:
    with pytest.raises(TypeError):
        exact_json.dumps({"Amount": 0.1})


def test_custom_fields_that_are_switched_on_can_be_mapped_by_their_number() -> None:
    def used(number: str, on: bool) -> dict[str, object]:
        return {"Name": f"SalesFormsPrefs.UseSalesCustom{number}", "Type": "BooleanType", "BooleanValue": on}

    named = {"Name": "SalesFormsPrefs.SalesCustomName1", "Type": "StringType", "StringValue": "Deal"}
    groups = [{"CustomField": [used("1", True), used("2", False), used("3", True)]}, {"CustomField": [named]}]
    found = custom_fields_from({"SalesFormsPrefs": {"CustomField": groups}})
    assert [(field.id, field.name) for field in found] == [("1", "Deal"), ("3", "Custom field 3")]
    assert custom_fields_from({"SalesFormsPrefs": {"CustomTxnNumbers": True}}) == ()

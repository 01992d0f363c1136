"""A company's books: what QuickBooks checks, computes and keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.google.clock import Clock
from local.quickbooks.bookkeeper import act
from local.quickbooks.books import Books
from local.quickbooks.errors import ControlError, VendorError
from local.quickbooks.simulator import Simulator

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def company(**settings: Any) -> Books:
    """With one customer, whose id is "10"."""
    books = Simulator(clock=Clock(lambda: START)).create_company({"realm_id": "1", **settings})
    customer = books.create("Customer", {"DisplayName": "Northwind Example"})
    assert customer["Id"] == "10" if books.settings.country == "US" else "11"
    return books


def sale(amount: str = "100.00", code: str | None = "TAX", **detail: Any) -> dict[str, Any]:
    tax = {"TaxCodeRef": {"value": code}} if code else {}
    return {
        "DetailType": "SalesItemLineDetail",
        "Amount": Decimal(amount),
        "SalesItemLineDetail": {"ItemRef": {"value": "3"}, **tax, **detail},
    }


def invoice(books: Books, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    customer = next(iter(books.tables["Customer"]))
    return books.create("Invoice", {"CustomerRef": {"value": customer}, "Line": list(lines) or [sale()], **changes})


def code_of(refused: pytest.ExceptionInfo[VendorError]) -> str:
    return refused.value.code


def test_an_invoice_is_filled_in() -> None:
    made = invoice(company(), DocNumber="A-1", SalesTermRef={"value": "8"})
    assert (made["TotalAmt"], made["TxnTaxDetail"]["TotalTax"], made["Balance"]) == (
        Decimal("108.00"),
        Decimal("8.00"),
        Decimal("108.00"),
    )
    assert (made["TxnDate"], made["DueDate"], made["SyncToken"]) == ("2026-03-02", "2026-04-01", "0")
    assert made["MetaData"]["LastUpdatedTime"] == "2026-03-02T01:00:00-08:00"
    assert made["Line"][-1]["DetailType"] == "SubTotalLineDetail"


@pytest.mark.parametrize(
    ("before_tax", "tax"), [(True, Decimal("1680.00")), (False, Decimal("1840.00"))], ids=["off first", "taxed first"]
)
def test_a_discount_comes_off_before_or_after_tax_as_the_form_says(before_tax: bool, tax: Decimal) -> None:
    off = {"DetailType": "DiscountLineDetail", "Amount": Decimal("2000.00"), "DiscountLineDetail": {}}
    made = invoice(company(), sale("23000.00"), off, ApplyTaxAfterDiscount=before_tax)
    assert made["TxnTaxDetail"]["TotalTax"] == tax
    assert made["TotalAmt"] == Decimal("21000.00") + tax


def test_elsewhere_each_line_has_its_code() -> None:
    books = company(country="GB", currency="GBP")
    made = invoice(books, sale("100.00", "4"), sale("50.00", "5"), GlobalTaxCalculation="TaxExcluded")
    assert made["TxnTaxDetail"]["TotalTax"] == Decimal("20.00")
    for lines, mode in (
        ([sale(code=None)], "TaxExcluded"),
        ([sale(code="4")], None),
        ([sale(code=None)], "NotApplicable"),
    ):
        with pytest.raises(VendorError) as refused:
            invoice(books, *lines, **({"GlobalTaxCalculation": mode} if mode else {}))
        assert code_of(refused) == "6000"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (sale("99.99", Qty=1, UnitPrice=100), "6070"),
        (sale(code="12"), "2500"),
        ({**sale(), "SalesItemLineDetail": {"ItemRef": {"value": "99"}}}, "2500"),
        ({**sale(), "SalesItemLineDetail": {}}, "2020"),
        ({**sale(), "Amount": None}, "2020"),
        ({**sale(), "Amount": Decimal("1.005")}, "2010"),
        ({**sale(), "DetailType": "Unheard"}, "2010"),
    ],
)
def test_a_line_that_quickbooks_refuses(line: dict[str, Any], code: str) -> None:
    with pytest.raises(VendorError) as refused:
        invoice(company(), line)
    assert code_of(refused) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DocNumber": "A-1"}, "6140"),
        ({"DocNumber": "A" * 22}, "2050"),
        ({"CustomerRef": {"value": "999"}}, "2500"),
        ({"CustomerRef": None}, "2020"),
        ({"SalesTermRef": {"value": "999"}}, "2500"),
        ({"CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"EmailStatus": "NeedToSend"}, "2020"),
        ({"Invented": 1}, "2010"),
    ],
)
def test_a_form_that_quickbooks_refuses(changes: dict[str, Any], code: str) -> None:
    books = company()
    invoice(books, DocNumber="A-1")
    with pytest.raises(VendorError) as refused:
        invoice(books, **changes)
    assert code_of(refused) == code
    assert len(books.tables["Invoice"]) == 1


def test_without_custom_numbers_quickbooks_counts_by_itself() -> None:
    assert invoice(company(custom_numbers=False), DocNumber="A-1")["DocNumber"] == "1001"


def test_one_number_may_be_used_twice_where_the_company_allows_it() -> None:
    books = company(refuses_duplicates=False)
    assert invoice(books, DocNumber="A-1")["Id"] != invoice(books, DocNumber="A-1")["Id"]


def test_a_request_id_answers_what_it_answered_first() -> None:
    books = company()
    body = {"CustomerRef": {"value": "10"}, "Line": [sale()]}
    first = books.create("Invoice", body, "r1")
    assert books.create("Invoice", {**body, "Line": [sale("5.00")]}, "r1") == first
    assert books.create("Invoice", body, "r2")["Id"] != first["Id"]


def test_a_refusal_does_not_use_up_a_request_id() -> None:
    books = company()
    with pytest.raises(VendorError):
        books.create("Invoice", {"CustomerRef": {"value": "999"}, "Line": [sale()]}, "r1")
    assert books.create("Invoice", {"CustomerRef": {"value": "10"}, "Line": [sale()]}, "r1")["Id"]


def test_names_are_shared_by_customers_and_vendors_without_regard_to_capitals() -> None:
    books = company()
    with pytest.raises(VendorError) as refused:
        books.create("Vendor", {"DisplayName": "NORTHWIND example"})
    assert code_of(refused) == "6240"


def test_an_old_version_cannot_write() -> None:
    books = company()
    made = invoice(books)
    books.update("Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "theirs"})
    with pytest.raises(VendorError) as refused:
        books.update("Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "ours"})
    assert code_of(refused) == "5010"
    assert books.read("Invoice", made["Id"])["PrivateNote"] == "theirs"


def test_a_full_update_clears_what_it_does_not_name_and_a_sparse_one_does_not() -> None:
    books = company()
    made = invoice(books, PrivateNote="kept")
    sparse = books.update("Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "DueDate": "2026-05-01"})
    assert sparse["PrivateNote"] == "kept"
    full = {"Id": made["Id"], "SyncToken": "1", "CustomerRef": {"value": "10"}, "Line": [sale("7.00")]}
    assert "PrivateNote" not in books.update("Invoice", full)


def test_paying_moves_balance_version_and_links_in_one_step() -> None:
    books = company()
    made = invoice(books)
    paid = act(books, "pay", {"invoice": made["Id"], "amount": "8.00"})
    after = books.read("Invoice", made["Id"])
    assert (after["Balance"], after["SyncToken"]) == (Decimal("100.00"), "1")
    assert after["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]


def test_more_than_is_open_cannot_be_applied() -> None:
    books = company()
    made = invoice(books)
    line = {"Amount": Decimal("108.01"), "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]}
    for total in ("108.01", "200.00"):
        with pytest.raises(VendorError) as refused:
            books.create("Payment", {"CustomerRef": {"value": "10"}, "TotalAmt": Decimal(total), "Line": [line]})
        assert code_of(refused) == "6000"


@pytest.mark.parametrize("act_name", ["void", "delete"])
def test_when_a_paid_invoice_goes_its_money_stays_unapplied(act_name: str) -> None:
    books = company()
    made = invoice(books)
    paid = act(books, "pay", {"invoice": made["Id"]})
    act(books, act_name, {"invoice": made["Id"]})
    payment = books.read("Payment", paid["Id"])
    assert (payment["Line"], payment["UnappliedAmt"], payment["TotalAmt"]) == ([], Decimal("108.00"), Decimal("108.00"))


def test_a_void_invoice_is_one_version_newer_and_at_zero() -> None:
    books = company()
    made = invoice(books, PrivateNote="note")
    act(books, "void", {"invoice": made["Id"]})
    void = books.read("Invoice", made["Id"])
    assert (void["TotalAmt"], void["Balance"], void["SyncToken"], void["PrivateNote"]) == (0, 0, "1", "Voided - note")


def test_a_credit_memo_is_used_up_by_what_it_is_applied_to() -> None:
    books = company()
    made = invoice(books)
    memo = act(books, "credit", {"invoice": made["Id"], "amount": "30.00"})
    assert memo["RemainingCredit"] == 0
    assert books.read("Invoice", made["Id"])["Balance"] == Decimal("78.00")


def test_customers_are_made_inactive_and_never_deleted() -> None:
    books = company()
    with pytest.raises(VendorError):
        books.delete("Customer", {"Id": "10", "SyncToken": "0"})
    books.update("Customer", {"Id": "10", "SyncToken": "0", "sparse": True, "Active": False})
    assert books.query("select * from Customer") == {"QueryResponse": {}}
    with pytest.raises(VendorError) as refused:
        invoice(books)
    assert code_of(refused) == "2500"


def test_change_data_capture_tells_the_deleted_and_looks_back_thirty_days() -> None:
    books = company()
    made = invoice(books)
    act(books, "delete", {"invoice": made["Id"]})
    (answer,) = books.changed_since(["Invoice", "Payment"], START)["CDCResponse"]
    invoices, payments = answer["QueryResponse"]
    assert invoices["Invoice"][0]["status"] == "Deleted"
    assert payments == {}
    with pytest.raises(VendorError):
        books.changed_since(["Invoice"], START - timedelta(days=31))


def test_an_act_nobody_knows_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(ControlError, match="bounce, credit"):
        act(company(), "embezzle", {})

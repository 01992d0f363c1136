"""Our invoices in QuickBooks' words: whatever was quoted, QuickBooks comes to the same amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.cash.accounting import InvoiceDraft, InvoiceLine
from shared.domain.cash.money import Money, total
from shared.providers.quickbooks.writing import TaxModel, display_name, invoice_body
from tests.providers.quickbooks.world import line, usd

US = TaxModel(us=True)

LINES = st.builds(
    InvoiceLine,
    description=st.just("Consulting"),
    quantity=st.decimals(min_value=0, max_value=10_000, places=3),
    unit_price=st.decimals(min_value=0, max_value=100_000, places=4),
    amount=st.integers(min_value=0, max_value=10**11).map(usd),
    item_id=st.just("3"),
    taxable=st.booleans(),
)


def draft(lines: Sequence[InvoiceLine], **changes: Any) -> InvoiceDraft:
    currency = lines[0].amount.currency
    made = InvoiceDraft(
        number="INV-1",
        external_id="i-1",
        customer_id="58",
        lines=tuple(lines),
        discount=Money(0, currency),
        tax=Money(0, currency),
        total=total((one.amount for one in lines), currency),
        issued_on=date(2026, 3, 2),
        due_on=None,
    )
    return replace(made, **changes)


@given(st.lists(LINES, min_size=1, max_size=8))
def test_every_line_multiplies_to_its_amount(lines: list[InvoiceLine]) -> None:
    for given_line, sent in zip(lines, invoice_body(draft(lines), US)["Line"], strict=True):
        detail = sent["SalesItemLineDetail"]
        product = (detail["Qty"] * detail["UnitPrice"]).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        assert product == sent["Amount"] == given_line.amount.decimal


def test_a_currency_without_cents_is_multiplied_without_cents() -> None:
    yen = replace(line("1"), quantity=Decimal(3), unit_price=Decimal("33.5"), amount=Money(101, "JPY"))
    body = invoice_body(draft([yen]), US)
    assert body["Line"][0]["SalesItemLineDetail"]["Qty"] == Decimal(3)
    assert body["CurrencyRef"] == {"value": "JPY"}


def test_the_discount_is_a_line_of_its_own_that_comes_off_before_tax() -> None:
    body = invoice_body(draft([line("100.00")], discount=usd(1_000)), US)
    assert body["Line"][-1]["DetailType"] == "DiscountLineDetail"
    assert body["Line"][-1]["Amount"] == Decimal("10.00")
    assert body["ApplyTaxAfterDiscount"] is True
    assert "ApplyTaxAfterDiscount" not in invoice_body(draft([line("100.00")]), US)


def test_lines_are_taxed_or_not_in_the_united_states_and_coded_elsewhere() -> None:
    lines = [line("1.00"), line("1.00", taxable=False), line("1.00", tax_code_id="7")]
    wanted = draft(lines, tax_code_id="4")
    codes = [[one["SalesItemLineDetail"]["TaxCodeRef"]["value"] for one in invoice_body(wanted, model)["Line"]]
             for model in (US, TaxModel(us=False, untaxed_code="5"))]  # fmt: skip
    assert codes == [["TAX", "NON", "TAX"], ["4", "5", "7"]]
    assert invoice_body(wanted, US)["TxnTaxDetail"] == {"TxnTaxCodeRef": {"value": "4"}}
    assert "TxnTaxDetail" not in invoice_body(draft(lines, tax_code_id="TAX"), US)


def test_where_there_is_no_sales_tax_nothing_is_coded() -> None:
    body = invoice_body(draft([line("1.00")]), TaxModel(us=False))
    assert body["GlobalTaxCalculation"] == "NotApplicable"
    assert "TaxCodeRef" not in body["Line"][0]["SalesItemLineDetail"]


def test_it_is_made_unsent_and_carries_our_reference_terms_and_fields() -> None:
    body = invoice_body(draft([line("1.00")], term_id="8", memo="Thanks", email="a@x.example", fields={"1": "D-7"}), US)
    assert (body["EmailStatus"], body["PrivateNote"]) == ("NotSet", "[ref i-1]")
    assert (body["SalesTermRef"], body["CustomerMemo"]) == ({"value": "8"}, {"value": "Thanks"})
    assert body["BillEmail"] == {"Address": "a@x.example"}
    assert body["CustomField"] == [{"DefinitionId": "1", "Type": "StringType", "StringValue": "D-7"}]
    assert "DueDate" not in body  # it follows from the terms


def test_names_lose_what_quickbooks_does_not_take() -> None:
    assert display_name("  A: B\tC\nD ") == "A B C D"
    assert len(display_name("x" * 600)) == 500

"""NetSuite's own shapes, as its pages and answers show them, read into ours."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.cash.accounting import InvoiceStatus, PaymentKind
from shared.domain.cash.money import Money
from shared.errors import InputError
from shared.providers import exact_json
from shared.providers.netsuite.catalogue import CATALOGUE
from shared.providers.netsuite.manifest import MANIFEST
from shared.providers.netsuite.mapping import Currencies, Stamp, customer_from, invoice_from, payment_from
from shared.providers.netsuite.schema import RecordSchema
from shared.providers.words import Kind, Problem

AT = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
CURRENCIES = Currencies({"1": "USD", "4": "JPY"}, "USD")

INVOICE = """{
  "links": [{"rel": "self", "href": "https://9876543.suitetalk.api.netsuite.com/services/rest/record/v1/invoice/1215/"}],
  "id": "1215", "amountPaid": 0.0, "amountRemaining": 1000.0, "amountRemainingTotalBox": 1000.0,
  "createdDate": "2026-11-23T09:48:00Z", "lastModifiedDate": "2026-11-23T15:04:00Z",
  "currency": {"links": [], "id": "1", "refName": "USA"}, "dueDate": "2026-12-23",
  "entity": {"links": [], "id": "401", "refName": "Northwind Traders"}, "externalId": "intent-1",
  "status": {"id": "Open", "refName": "Open"}, "subtotal": 925.93, "taxTotal": 74.07, "toBeEmailed": false,
  "total": 1000.0, "tranDate": "2026-11-23", "tranId": "INV1215"
}"""

PAYMENT = """{
  "id": "1300", "customer": {"id": "401"}, "currency": {"id": "1"}, "payment": 250, "tranDate": "2026-11-24",
  "lastModifiedDate": "2026-11-24T10:00:00Z",
  "apply": {"links": [], "items": [
    {"amount": 200.0, "apply": true, "doc": {"id": "1215"}, "line": 0},
    {"amount": 30.5, "apply": true, "doc": {"id": "1216"}, "line": 0},
    {"amount": 0.0, "apply": false, "doc": {"id": "1217"}, "line": 0}
  ]}
}"""


def invoice(stamp: Stamp | None = None, **changes: Any) -> Any:
    record = exact_json.loads(INVOICE) | changes
    return invoice_from(record, stamp or Stamp(AT, voided=False), CURRENCIES)


def test_an_invoice() -> None:
    read = invoice()
    assert (read.invoice_id, read.number, read.customer_id, read.external_id) == ("1215", "INV1215", "401", "intent-1")
    assert (read.total, read.tax, read.balance) == (Money(100_000, "USD"), Money(7_407, "USD"), Money(100_000, "USD"))
    assert (read.status, read.due_on, read.updated_at) == (InvoiceStatus.OPEN, date(2026, 12, 23), AT)
    assert read.version == 1_795_446_245_000_000


@pytest.mark.parametrize(
    ("remaining", "status"),
    [("1000.0", InvoiceStatus.OPEN), ("999.99", InvoiceStatus.PARTIALLY_PAID), ("0.0", InvoiceStatus.PAID)],
)
def test_the_balance_says_whether_it_is_paid_and_not_a_status_that_accounts_rename(
    remaining: str, status: InvoiceStatus
) -> None:
    assert invoice(amountRemaining=Decimal(remaining), status={"id": "Own word"}).status is status


def test_a_void_invoice_is_one_that_was_voided_or_that_we_took_back() -> None:
    assert invoice(Stamp(AT, voided=True)).status is InvoiceStatus.VOID
    assert invoice(Stamp(AT, voided=False, taken_back=True)).status is InvoiceStatus.OPEN
    assert invoice(Stamp(AT, voided=False, taken_back=True), amountRemaining=0).status is InvoiceStatus.VOID


def test_an_account_without_tax_or_currencies() -> None:
    record = {name: value for name, value in exact_json.loads(INVOICE).items() if name not in {"taxTotal", "currency"}}
    read = invoice_from(record, Stamp(AT, voided=False), Currencies({}, "JPY"))
    assert (read.tax, read.total) == (Money(0, "JPY"), Money(1000, "JPY"))


def test_more_digits_than_a_currency_has_are_not_rounded_away() -> None:
    with pytest.raises(InputError):
        invoice(total=Decimal("1000.005"))


def test_a_payment_and_what_of_it_went_where() -> None:
    read = payment_from(PaymentKind.PAYMENT, exact_json.loads(PAYMENT), Stamp(AT, voided=False), CURRENCIES)
    assert (read.amount, read.applied) == (Money(25_000, "USD"), {"1215": 20_000, "1216": 3_050})
    assert (read.customer_id, read.paid_on) == ("401", date(2026, 11, 24))


def test_a_voided_payment_pays_nothing_whatever_its_lines_say() -> None:
    read = payment_from(PaymentKind.PAYMENT, exact_json.loads(PAYMENT), Stamp(AT, voided=True), CURRENCIES)
    assert (read.voided, read.applied) == (True, {})


def test_a_person_is_a_customer_by_first_and_last_name() -> None:
    row = {"id": "9", "firstname": "Ada", "lastname": "Example", "entityid": "CUST9", "currency": "1"}
    assert customer_from(row, CURRENCIES).name == "Ada Example"
    assert customer_from({"id": "9", "entityid": "CUST9", "isinactive": "T"}, CURRENCIES).name == "CUST9"
    assert not customer_from({"id": "9", "entityid": "CUST9", "isinactive": "T"}, CURRENCIES).active


# --------------------------------------------------------------------------------------------------------------- schema

SCHEMA = RecordSchema.of(
    "invoice",
    json.loads(
        """{"type": "object", "properties": {
          "custbody_amount": {"title": "Amount", "type": "number", "format": "double", "nullable": true},
          "custbody_count": {"title": "Count", "type": "integer", "x-ns-custom-field": true},
          "custbody_tick": {"title": "Tick", "type": "boolean"},
          "custbody_owner": {"type": "object", "properties": {"id": {"type": "string"}}},
          "location": {"$ref": "/services/rest/record/v1/metadata-catalog/nsLink"},
          "discountRate": {"title": "Rate", "type": "string"},
          "memo": {"title": "Memo", "type": "string"},
          "total": {"title": "Total", "type": "number", "readOnly": true}}}"""
    ),
)


def test_values_take_the_form_a_field_has_in_this_account() -> None:
    values = {
        "custbody_amount": "12.50",
        "custbody_count": "3",
        "custbody_tick": "F",
        "custbody_owner": "17",
        "location": "2",
        "discountRate": Decimal("-2000.00"),
        "memo": "as it is",
    }
    assert SCHEMA.encoded(values) == {
        "custbody_amount": Decimal("12.50"),
        "custbody_count": 3,
        "custbody_tick": False,
        "custbody_owner": {"id": "17"},
        "location": {"id": "2"},
        "discountRate": "-2000.00",
        "memo": "as it is",
    }


@pytest.mark.parametrize(
    "values",
    [
        {"custbody_amount": "about 5"},
        {"custbody_count": "1.5"},
        {"custbody_amount": "NaN"},
        {"custbody_tick": "maybe"},
        {"total": "1"},
        {"custbody_elsewhere": "1"},
    ],
    ids=lambda values: "=".join(*values.items()),
)
def test_what_does_not_fit_is_a_sentence(values: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(values))):
        SCHEMA.encoded(values)


# ------------------------------------------------------------------------------------------------------------- manifest


def test_a_code_of_netsuite_leads_to_one_entry() -> None:
    codes = [code for problem in CATALOGUE for code in problem.codes]
    assert len(set(codes)) == len(codes)
    assert len({problem.id for problem in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("problem", MANIFEST.errors, ids=lambda problem: problem.id)
def test_an_entry_says_what_happened_and_what_to_do(problem: Problem) -> None:
    assert problem.sentence.endswith(".")
    if problem.kind in {Kind.RECONNECT, Kind.ADMIN, Kind.INPUT}:
        assert problem.action.endswith(".")
    if problem.kind in {Kind.RECONNECT, Kind.ADMIN}:
        assert problem.link is not None
        assert problem.link.startswith("https://")


def test_certificates_are_offered_before_tokens_and_secrets_are_marked() -> None:
    assert [way.id for way in MANIFEST.ways] == ["oauth2_client_credentials", "oauth1_tokens"]
    secret = {credential.name for way in MANIFEST.ways for credential in way.credentials if credential.secret}
    assert secret == {"private_key", "consumer_secret", "token_secret"}

"""Records over REST: what NetSuite keeps, computes, merges and refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.serving import running
from local.netsuite.app import create_app
from local.netsuite.simulator import Simulator
from shared.errors import ProviderUnavailableError
from tests.local.netsuite.caller import STRICT, Caller, code


def test_a_post_answers_nothing_but_where_the_record_is(caller: Caller) -> None:
    answer = caller.send("POST", "record/v1/invoice", caller.invoice())
    [record] = caller.simulator.books.all("invoice")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["location"] == f"{caller.url}/services/rest/record/v1/invoice/{record.id}"


def test_an_upsert_done_twice_doubles_the_lines(caller: Caller) -> None:
    """The trap for whoever repeats an invoice by PUT."""
    assert caller.send("PUT", "record/v1/invoice/eid:intent-1", caller.invoice()).status == 204
    assert caller.only_invoice()["total"] == 1500

    caller.send("PUT", "record/v1/invoice/eid:intent-1", caller.invoice())
    assert caller.only_invoice()["total"] == 3000
    assert len(caller.only_invoice()["item"]["items"]) == 2

    caller.send("PUT", "record/v1/invoice/eid:intent-1?replace=item", caller.invoice())
    assert caller.only_invoice()["total"] == 1500


def test_a_line_that_is_named_is_changed_in_place(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice())
    [record] = caller.simulator.books.all("invoice")
    change = {"item": {"items": [{"line": 1, "quantity": 4}]}}
    assert caller.send("PATCH", f"record/v1/invoice/{record.id}", change).status == 204
    assert caller.only_invoice()["total"] == 600


def test_a_second_post_with_an_external_id_is_refused(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice())
    again = caller.send("POST", "record/v1/invoice", caller.invoice())
    assert (again.status, code(again)) == (400, "USER_ERROR")
    assert "already exists" in json.loads(again.body)["o:errorDetails"][0]["detail"]


def test_an_unknown_property_is_dropped_without_a_word_unless_errors_are_asked_for(caller: Caller) -> None:
    body = caller.invoice(custbody_gone="x")
    strict = caller.send("POST", "record/v1/invoice", body, **STRICT)
    assert (strict.status, code(strict)) == (400, "INVALID_CONTENT")
    assert json.loads(strict.body)["o:errorDetails"][0]["o:errorPath"] == "custbody_gone"

    assert caller.send("POST", "record/v1/invoice", body).status == 204
    assert "custbody_gone" not in caller.only_invoice()


def test_an_amount_that_is_given_stays_and_tax_comes_after_the_discount(caller: Caller) -> None:
    item, tax = caller.id("serviceSaleItem", "Consulting hour"), caller.id("salesTaxItem", "Sales tax 8 %")
    line = {"item": {"id": item}, "quantity": 50, "rate": 150, "amount": 6750, "taxCode": {"id": tax}}
    discount = {"id": caller.id("discountItem", "Quote discount")}
    body = caller.invoice(item={"items": [line]}, discountItem=discount, discountRate="-10%")
    caller.send("POST", "record/v1/invoice", body)
    shown = caller.only_invoice()
    assert (shown["subtotal"], shown["discountTotal"], shown["taxTotal"]) == (6750, -675, 486)
    assert (shown["total"], shown["amountRemaining"]) == (6561, 6561)


def test_times_are_told_to_the_minute_in_utc_and_references_by_name(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice())
    shown = caller.only_invoice()
    assert shown["lastModifiedDate"] == "2026-11-23T15:04:00Z"
    assert shown["tranDate"] == "2026-11-23"
    assert (shown["entity"]["refName"], shown["currency"]["refName"]) == ("Northwind Traders", "US Dollar")
    record_id = shown["id"]
    folded = json.loads(caller.send("GET", f"record/v1/invoice/{record_id}").body)
    assert list(folded["item"]) == ["links"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"entity": {"id": "999"}}, "INVALID_CONTENT"),
        ({"tranDate": "23.11.2026"}, "INVALID_CONTENT"),
        ({"tranDate": "2026-02-30"}, "INVALID_CONTENT"),
        ({"toBeEmailed": "yes"}, "INVALID_CONTENT"),
        ({"item": {"items": []}}, "USER_ERROR"),
        ({"item": {"items": [{"quantity": 1}]}}, "USER_ERROR"),
        ({"item": [1]}, "INVALID_CONTENT"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(caller: Caller, changes: dict[str, Any], error: str) -> None:
    answer = caller.send("POST", "record/v1/invoice", caller.invoice(**changes))
    assert (answer.status, code(answer)) == (400, error)
    assert list(caller.simulator.books.all("invoice")) == []


def test_a_mandatory_field_left_out_is_named(caller: Caller) -> None:
    body = caller.invoice()
    del body["entity"]
    answer = caller.send("POST", "record/v1/invoice", body)
    assert "Please enter value(s) for: Customer" in json.loads(answer.body)["o:errorDetails"][0]["detail"]


def test_subsidiaries_do_not_mix(caller: Caller) -> None:
    german = {"id": caller.id("subsidiary", "Harbor GmbH")}
    assert code(caller.send("POST", "record/v1/invoice", caller.invoice(subsidiary=german))) == "INVALID_CONTENT"
    contoso = {"id": caller.id("customer", "Contoso GmbH")}
    caller.send("POST", "record/v1/invoice", caller.invoice(entity=contoso))
    assert caller.only_invoice()["subsidiary"]["refName"] == "Harbor GmbH"


def test_more_than_is_owed_cannot_be_applied(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice())
    [record] = caller.simulator.books.all("invoice")
    assert "Invalid Field Value" in caller.control("bookkeeper/pay", invoice=record.id, amount=1501)["error"]
    caller.control("bookkeeper/pay", invoice=record.id, amount=1000)
    assert caller.only_invoice()["amountRemaining"] == 500
    assert "linked to" in caller.control("bookkeeper/delete", record=record.id)["error"]


def test_the_catalog_describes_what_there_is(caller: Caller) -> None:
    caller.control("fields", record="invoice", name="custbody_deal", kind="text")
    accept = {"Accept": "application/schema+json"}
    described = json.loads(caller.send("GET", "record/v1/metadata-catalog/invoice", **accept).body)
    assert described["properties"]["custbody_deal"]["x-ns-custom-field"] is True
    assert described["properties"]["amountRemaining"]["readOnly"] is True
    assert described["properties"]["tranDate"]["format"] == "date"

    caller.control("settings", features=["multicurrency"])
    described = json.loads(caller.send("GET", "record/v1/metadata-catalog/invoice", **accept).body)
    assert "subsidiary" not in described["properties"]
    assert caller.send("GET", "record/v1/subsidiary").status == 404


def test_a_role_may_do_what_it_may(caller: Caller) -> None:
    caller.send("GET", "record/v1/customer")
    [mapped] = caller.simulator.gate.certificates.values()
    mapped.role = "viewer"
    caller.control("roles", role="viewer", permissions={"invoice": "view"})
    assert caller.send("GET", "record/v1/invoice").status == 200
    refused = caller.send("POST", "record/v1/invoice", caller.invoice())
    assert (refused.status, code(refused)) == (403, "INSUFFICIENT_PERMISSION")
    assert caller.send("GET", "record/v1/customer").status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "record/v1/invoice?q=memo"),
        ("POST", "record/v1/invoice/1/@approve"),
        ("GET", "record/v1/metadata-catalog"),
        ("GET", "system/v1/serverTime"),
        ("GET", "query/v1/dataset"),
    ],
)
def test_what_is_not_simulated_is_refused_loudly(caller: Caller, method: str, path: str) -> None:
    answer = caller.send(method, path, {} if method == "POST" else None)
    assert (answer.status, code(answer)) == (501, "NOT_SIMULATED")


# ------------------------------------------------------------------------------------------------------ limits, control


def test_a_full_house_refuses(caller: Caller) -> None:
    caller.send("GET", "record/v1/customer")
    caller.control("settings", concurrency=0)
    answer = caller.send("GET", "record/v1/customer")
    assert (answer.status, code(answer)) == (429, "CONCURRENCY_LIMIT_EXCEEDED")


def test_faults_come_as_often_as_armed_and_a_lost_reply_has_done_its_work(caller: Caller) -> None:
    caller.send("GET", "record/v1/customer")
    caller.control("faults", operation="customer.list", status=503, text="<html>down</html>", times=2)
    assert [caller.send("GET", "record/v1/customer").status for _ in range(3)] == [503, 503, 200]

    caller.control("faults", operation="invoice.create", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        caller.send("POST", "record/v1/invoice", caller.invoice())
    assert caller.only_invoice()["total"] == 1500


def test_control_explains_what_it_cannot_do(caller: Caller) -> None:
    assert "needs a status" in caller.control("faults", operation="*")["error"]
    assert "fields" in caller.control("faults", stauts=1)["error"]
    assert "not dance" in caller.control("bookkeeper/dance")["error"]
    assert "no record" in caller.control("bookkeeper/pay", invoice="999")["error"]
    assert "client_id is missing" in caller.control("certificates")["error"]
    assert "custbody" in caller.control("fields", record="invoice", name="total")["error"]


def test_the_books_outlive_the_process(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice())
    [record] = caller.simulator.books.all("invoice")
    caller.control("bookkeeper/pay", invoice=record.id, amount=1000)
    shown = caller.only_invoice()

    again = Simulator(caller.simulator.settings, base=caller.clock.now)
    with running(create_app(again)) as url:
        later = Caller(again, url, caller.clock)
        kept = later.only_invoice()
        assert (kept["amountRemaining"], kept["total"], kept["tranId"]) == (500, 1500, shown["tranId"])
        assert later.send("POST", "record/v1/invoice", later.invoice()).status == 400


def test_the_clock_moves_and_a_reset_begins_anew(caller: Caller) -> None:
    assert caller.control("clock", advance_s=60)["now"].startswith("2026-11-23T15:05:05")
    caller.send("POST", "record/v1/invoice", caller.invoice())
    caller.control("reset")
    assert list(caller.simulator.books.all("invoice")) == []
    assert caller.send("GET", "record/v1/customer").status == 401


def test_people_see_the_books(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice(tranId="TL-<1>"))
    [record] = caller.simulator.books.all("invoice")
    caller.control("bookkeeper/pay", invoice=record.id, amount=1000)
    page = caller.wire.send("GET", caller.url, call="page").body.decode()
    assert "TL-&lt;1&gt;" in page
    assert "1,500.00" in page
    assert f"1,000.00 to {record.id}" in page

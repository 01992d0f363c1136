"""SuiteQL: the part that is understood, and the loud refusal of the rest."""

from __future__ import annotations

import pytest

from shared.providers.netsuite.suiteql import select
from tests.local.netsuite.caller import Caller, code


def test_rows_come_as_text_and_without_their_nulls(caller: Caller) -> None:
    found = caller.query("SELECT id, companyname, externalid FROM customer WHERE isinactive = 'F' ORDER BY id")
    assert [row["companyname"] for row in found] == ["Northwind Traders", "Contoso GmbH"]
    assert all("externalid" not in row for row in found)
    assert all(isinstance(row["id"], str) for row in found)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("symbol = 'USD'", ["USD"]),
        ("symbol <> 'USD'", ["EUR"]),
        ("symbol IN ('USD', 'EUR', 'CHF')", ["EUR", "USD"]),
        ("symbol >= 'F'", ["USD"]),
        ("symbol = 'USD' AND symbol = 'EUR' OR symbol = 'EUR'", ["EUR"]),
        ("symbol = 'USD' AND (symbol = 'EUR' OR symbol = 'EUR')", []),
        ("name IS NULL", []),
        ("name IS NOT NULL", ["EUR", "USD"]),
        ("id < 2", ["USD"]),
        ("symbol = 'x'' OR ''1'' = ''1'", []),
    ],
)
def test_conditions(caller: Caller, condition: str, names: list[str]) -> None:
    found = caller.query(select("symbol", "currency", condition, "symbol"))
    assert [row["symbol"] for row in found] == names


def test_order_distinct_and_names(caller: Caller) -> None:
    found = caller.query("select distinct isinactive as idle from currency order by isinactive desc")
    assert found == [{"idle": "F"}]
    terms = caller.query("SELECT name, daysuntilnetdue AS days FROM term ORDER BY isinactive, id DESC")
    assert terms == [{"name": "Net 30", "days": "30"}, {"name": "Net 15", "days": "15"}]


def test_without_an_order_rows_come_in_none(caller: Caller) -> None:
    ordered = caller.query("SELECT id FROM item ORDER BY id")
    assert caller.query("SELECT id FROM item") != ordered
    assert sorted(caller.query("SELECT id FROM item"), key=lambda row: int(row["id"])) == ordered


def test_times_are_wall_times_and_lose_their_time_of_day_unless_asked(caller: Caller) -> None:
    found = caller.query(
        "SELECT lastmodifieddate, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS at FROM customer ORDER BY id"
    )
    assert found[0] == {"lastmodifieddate": "11/23/2026", "at": "2026-11-23 10:04:05"}

    def since(second: str) -> int:
        moment = f"TO_DATE('2026-11-23 10:04:{second}', 'YYYY-MM-DD HH24:MI:SS')"
        return len(caller.query(select("id", "customer", f"lastmodifieddate >= {moment}")))

    assert (since("05"), since("06")) == (2, 0)


def test_a_query_that_is_not_transient_is_refused(caller: Caller) -> None:
    assert caller.query("SELECT id FROM item ORDER BY id", Prefer="respond-async") == "INVALID_HEADER"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM nowhere ORDER BY id",
        "SELECT colour FROM item ORDER BY id",
        "SELECT id FROM item WHERE colour = 'x' ORDER BY id",
        "SELECT id item",
        "SELECT id FROM item WHERE id = 'x'",
        "SELECT id FROM item; DROP",
        "SELECT id FROM customer WHERE lastmodifieddate >= TO_DATE('yesterday', 'YYYY-MM-DD')",
    ],
)
def test_what_is_wrong_is_an_invalid_parameter(caller: Caller, query: str) -> None:
    assert caller.query(query) == "INVALID_PARAMETER"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(*) FROM item",
        "SELECT * FROM item",
        "SELECT id FROM item JOIN customer ON 1 = 1",
        "SELECT id FROM item WHERE itemid LIKE 'x'",
        "SELECT id FROM item WHERE id = SYSDATE",
        "SELECT id FROM item GROUP BY id",
        "SELECT TO_CHAR(lastmodifieddate, 'DD') AS day FROM customer ORDER BY id",
    ],
)
def test_what_is_not_understood_is_refused_loudly(caller: Caller, query: str) -> None:
    assert caller.query(query) == "NOT_SIMULATED"


def test_pages(caller: Caller) -> None:
    def page(path: str) -> object:
        body = {"q": "SELECT id FROM item ORDER BY id"}
        answer = caller.send("POST", f"query/v1/suiteql?{path}", body, Prefer="transient")
        return code(answer) if answer.status != 200 else answer.body

    first, last = str(page("limit=3&offset=0")), str(page("limit=3&offset=3"))
    assert '"hasMore":true' in first
    assert '"count":1' in last
    assert '"totalResults":4' in last
    assert page("limit=1001") == "INVALID_PARAMETER"
    assert page("limit=3&offset=1") == "INVALID_PARAMETER"


def test_a_table_that_a_role_may_not_see_is_not_there(caller: Caller) -> None:
    caller.query("SELECT id FROM item ORDER BY id")
    caller.send("POST", "record/v1/invoice", caller.invoice())
    [mapped] = caller.simulator.gate.certificates.values()
    mapped.role = "clerk"
    caller.control("roles", role="clerk", permissions={"currency": "view"})
    assert caller.query("SELECT id FROM item ORDER BY id") == "INVALID_PARAMETER"
    assert caller.query("SELECT id FROM transaction ORDER BY id") == []


def test_links_name_what_was_paid_by_what(caller: Caller) -> None:
    caller.send("POST", "record/v1/invoice", caller.invoice())
    [invoice] = caller.simulator.books.all("invoice")
    paid = caller.control("bookkeeper/pay", invoice=invoice.id, amount=600)["id"]
    columns = "previousdoc, previoustype, nextdoc, nexttype, linktype, foreignamount"
    assert caller.query(select(columns, "NextTransactionLineLink", "", "nextdoc")) == [
        {
            "previousdoc": invoice.id,
            "previoustype": "CustInvc",
            "nextdoc": paid,
            "nexttype": "CustPymt",
            "linktype": "Payment",
            "foreignamount": "600",
        }
    ]

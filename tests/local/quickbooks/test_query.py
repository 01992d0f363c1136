"""QuickBooks' query language, as far as the product speaks it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from local.quickbooks.errors import VendorError
from local.quickbooks.query import parse, run

OBJECTS = [
    {
        "Id": str(number),
        "Name": f"O'Brien {number}",
        "Balance": Decimal(number * 10),
        "Active": number != 3,
        "CustomerRef": {"value": str(number % 2)},
        "MetaData": {"LastUpdatedTime": f"2026-03-0{number % 9 + 1}T09:00:00-08:00"},
    }
    for number in range(1, 13)
]


def found(text: str) -> list[str]:
    return [str(item["Id"]) for item in run(parse(text), OBJECTS)]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("Id = '7'", ["7"]),
        ("Id in ('2', '11')", ["2", "11"]),
        ("Balance > '100'", ["11", "12"]),
        ("Balance >= 100 and Balance < 120", ["10", "11"]),
        (r"Name = 'o\'brien 4'", ["4"]),
        (r"Name like 'O\'Brien 1%'", ["1", "10", "11", "12"]),
        ("Active = false", ["3"]),
        ("CustomerRef = '0' and Balance <= 40", ["2", "4"]),
        ("MetaData.LastUpdatedTime >= '2026-03-09T17:00:00Z'", ["8"]),
        ("Nothing = 'x'", []),
    ],
)
def test_conditions(where: str, ids: list[str]) -> None:
    assert found(" ".join(["select * from Thing where", where])) == ids


def test_inactive_objects_are_left_out_unless_asked_for() -> None:
    assert "3" not in found("select * from Thing")
    assert "3" in found("select * from Thing where Active in (true, false)")


def test_pages_begin_with_one_and_ids_are_in_the_order_of_numbers() -> None:
    assert found("SELECT * FROM Thing ORDERBY Id STARTPOSITION 1 MAXRESULTS 3") == ["1", "2", "4"]
    assert found("select * from Thing orderby Id startposition 10 maxresults 1000") == ["11", "12"]
    assert found("select * from Thing order by Balance desc maxresults 2") == ["12", "11"]


def test_counting() -> None:
    assert parse("select count(*) from Thing").count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select Id from Thing",
        "select * from Thing where Id = '1' or Id = '2'",
        "select * from Thing where Id = 'it's'",
        "select * from Thing where Id = Name",
        "select * from Thing where Id ~ '1'",
        "select * from Thing where Id = '1",
        "select * from Thing maxresults 1001",
        "select * from Thing startposition 0",
        "select * from Thing startposition x",
        "select * from Thing, Other",
    ],
)
def test_what_the_language_does_not_have_is_4001(text: str) -> None:
    with pytest.raises(VendorError) as refused:
        parse(text)
    assert refused.value.code == "4001"

"""The tables that SuiteQL sees, as far as the product asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from local.netsuite.books import PAYING, Books, Record, applied_lines
from local.netsuite.record_types import ITEM_TYPES

Cell = str | int | Decimal | datetime | None
"""Ids are integers, check boxes "T" or "F", times aware UTC."""


@dataclass(frozen=True, slots=True)
class Table:
    """permission: what a role needs to know that the table exists. feature: the account's, or ""."""

    columns: frozenset[str]
    rows: Callable[[Books], Iterator[dict[str, Cell]]]
    permission: str
    feature: str = ""


def _number(record_id: str | None) -> int | None:
    return int(record_id) if record_id else None


def _tick(value: object) -> str:
    return "T" if value else "F"


def _transactions(books: Books) -> Iterator[dict[str, Cell]]:
    for record in books.all("invoice", *PAYING, "customerRefund"):
        invoice = record.kind.name == "invoice"
        yield {
            "id": int(record.id),
            "type": record.kind.search_type,
            "tranid": record.text("tranId"),
            "externalid": record.fields.get("externalId"),
            "entity": _number(record.reference("entity") or record.reference("customer")),
            "currency": _number(record.reference("currency")),
            "voided": _tick(record.voided),
            "trandate": record.text("tranDate"),
            "foreigntotal": books.total(record) * (1 if invoice else -1),
            "foreignamountunpaid": books.remaining(record) if invoice else None,
            "lastmodifieddate": record.changed_at,
            "_permission": record.kind.permission,
        }


def _customers(books: Books) -> Iterator[dict[str, Cell]]:
    for record in books.all("customer"):
        yield {
            "id": int(record.id),
            "entityid": record.text("entityId"),
            "companyname": record.fields.get("companyName"),
            "firstname": record.fields.get("firstName"),
            "lastname": record.fields.get("lastName"),
            "email": record.fields.get("email"),
            "phone": record.fields.get("phone"),
            "currency": _number(record.reference("currency")),
            "subsidiary": _number(record.reference("subsidiary")),
            "externalid": record.fields.get("externalId"),
            "isinactive": _tick(record.fields.get("isInactive")),
            "lastmodifieddate": record.changed_at,
        }


def _items(books: Books) -> Iterator[dict[str, Cell]]:
    for record in books.all(*ITEM_TYPES):
        kind = "Service" if record.kind.name == "serviceSaleItem" else "Discount"
        inactive = _tick(record.fields.get("isInactive"))
        yield {"id": int(record.id), "itemid": record.text("itemId"), "itemtype": kind, "isinactive": inactive}


def _named(kind: str, **more: str) -> Callable[[Books], Iterator[dict[str, Cell]]]:
    """Rows of a small list. more: column -> REST field."""

    def rows(books: Books) -> Iterator[dict[str, Cell]]:
        for record in books.all(kind):
            row: dict[str, Cell] = {"id": int(record.id), "isinactive": _tick(record.fields.get("isInactive"))}
            yield row | {column: _cell(record, name) for column, name in more.items()}

    return rows


def _cell(record: Record, name: str) -> Cell:
    value = record.fields.get(name)
    return int(value["id"]) if isinstance(value, dict) else value


def _links(books: Books) -> Iterator[dict[str, Cell]]:
    for record in books.all(*PAYING):
        for line in applied_lines(record):
            document = books.by_id(line["doc"]["id"])
            if document is not None:
                yield {
                    "previousdoc": int(document.id),
                    "previoustype": document.kind.search_type,
                    "nextdoc": int(record.id),
                    "nexttype": record.kind.search_type,
                    "linktype": "Payment",
                    "foreignamount": line["amount"],
                }


def _columns(text: str) -> frozenset[str]:
    return frozenset(text.split())


TABLES: dict[str, Table] = {
    "transaction": Table(
        _columns(
            "id type tranid externalid entity currency voided trandate foreigntotal foreignamountunpaid "
            "lastmodifieddate"
        ),
        _transactions,
        "",
    ),
    "customer": Table(
        _columns(
            "id entityid companyname firstname lastname email phone currency subsidiary externalid "
            "isinactive lastmodifieddate"
        ),
        _customers,
        "customer",
    ),
    "item": Table(_columns("id itemid itemtype isinactive"), _items, "item"),
    "term": Table(
        _columns("id name daysuntilnetdue isinactive"),
        _named("term", name="name", daysuntilnetdue="daysUntilNetDue"),
        "term",
    ),
    "salestaxitem": Table(
        _columns("id itemid rate isinactive"), _named("salesTaxItem", itemid="itemId", rate="rate"), "salesTaxItem"
    ),
    "subsidiary": Table(
        _columns("id name currency isinactive"),
        _named("subsidiary", name="name", currency="currency"),
        "subsidiary",
        "subsidiaries",
    ),
    "currency": Table(
        _columns("id name symbol isinactive"),
        _named("currency", name="name", symbol="symbol"),
        "currency",
        "multicurrency",
    ),
    "nexttransactionlinelink": Table(
        _columns("previousdoc previoustype nextdoc nexttype linktype foreignamount"), _links, ""
    ),
}

"""Records as the REST service shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from local.netsuite.books import Books, Record
from local.netsuite.errors import Json
from local.netsuite.record_types import Field


def shown(books: Books, record: Record, root: str, *, expand: bool) -> Json:
    """A whole record.

    Args:
        root: the address of services/rest.
        expand: show sublists and not only where they are, as `?expandSubResources=true` asks.
    """
    address = f"{root}/record/v1/{record.kind.name}/{record.id}"
    body: Json = {"links": [{"rel": "self", "href": address}], "id": record.id}
    hidden = books.hidden_fields()
    for name, field in record.kind.fields.items():
        if name in hidden or record.fields.get(name) is None:
            continue
        body[name] = _value(books, field, record, name, address, root, expand=expand)
    body["createdDate"] = _minute(record.created_at)
    body["lastModifiedDate"] = _minute(record.changed_at)
    return body | _computed(books, record)


def _computed(books: Books, record: Record) -> Json:
    if not record.kind.is_transaction:
        return {}
    body: Json = {"total": books.total(record), "status": _status(books, record)}
    if record.kind.name in {"invoice", "creditMemo"}:
        sums = books.sums(record)
        body |= {"subtotal": sums.subtotal, "discountTotal": sums.discount, "taxTotal": sums.tax}
    if record.kind.name == "invoice":
        remaining = books.remaining(record)
        body |= {"amountRemaining": remaining, "amountPaid": body["total"] - remaining}
    if record.voided:
        body |= {name: Decimal(0) for name in ("total", "subtotal", "taxTotal", "amountPaid") if name in body}
    return body


def _status(books: Books, record: Record) -> Json:
    if record.voided:
        return {"id": "voided", "refName": "Voided"}
    if record.kind.name != "invoice":
        return {"id": "posted", "refName": "Posted"}
    if books.remaining(record) > 0:
        return {"id": "open", "refName": "Open"}
    return {"id": "paidInFull", "refName": "Paid In Full"}


def _value(books: Books, field: Field, record: Record, name: str, address: str, root: str, *, expand: bool) -> object:
    value = record.fields[name]
    if field.kind == "lines":
        here: Json = {"links": [{"rel": "self", "href": f"{address}/{name}"}]}
        if not expand:
            return here
        lines = [{"links": [], **_line(books, field, line, root)} for line in value]
        return {**here, "items": lines, "totalResults": len(lines)}
    if field.kind == "reference":
        return _reference(books, value, root)
    return value


def _line(books: Books, field: Field, line: Json, root: str) -> Json:
    parts = field.lines or {}
    return {
        name: _reference(books, value, root) if parts[name].kind == "reference" else value
        for name, value in line.items()
    }


def _reference(books: Books, value: Json, root: str) -> Json:
    found = books.by_id(value["id"])
    if found is None:
        return {"links": [], **value}
    names = ("name", "itemId", "entityId", "tranId")
    ref_name = next((found.text(name) for name in names if found.text(name)), found.id)
    href = f"{root}/record/v1/{found.kind.name}/{found.id}"
    return {"links": [{"rel": "self", "href": href}], "id": found.id, "refName": ref_name}


def _minute(at: datetime) -> str:
    """Records tell times in UTC, and their seconds as zero."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")

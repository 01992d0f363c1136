"""The record types there are and their fields, as the metadata catalog describes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from local.netsuite.errors import ControlError, Json, invalid_content

FieldKind = Literal["text", "number", "integer", "check", "date", "datetime", "reference", "lines"]

_SCHEMAS: Mapping[FieldKind, Json] = {
    "text": {"type": "string"},
    "number": {"type": "number", "format": "double"},
    "integer": {"type": "integer", "format": "int64"},
    "check": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "reference": {"type": "object", "properties": {"id": {"type": "string"}, "refName": {"type": "string"}}},
    "lines": {"type": "object", "properties": {"items": {"type": "array"}}},
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Field:
    """kind: of the value. refers_to: record types a reference may name; empty for enumerations. lines: of a sublist."""

    kind: FieldKind
    title: str
    read_only: bool = False
    required: bool = False
    refers_to: tuple[str, ...] = ()
    lines: Mapping[str, Field] | None = None
    custom: bool = False

    def schema(self) -> Json:
        described: Json = {"title": self.title, **_SCHEMAS[self.kind], "nullable": not self.required}
        if self.read_only:
            described["readOnly"] = True
        if self.custom:
            described["x-ns-custom-field"] = True
        return described


@dataclass(frozen=True, slots=True)
class RecordType:
    """name: as in addresses. search_type: SuiteQL's `type`, of transactions. permission: what a role needs."""

    name: str
    fields: Mapping[str, Field]
    permission: str
    search_type: str = ""

    @property
    def is_transaction(self) -> bool:
        return bool(self.search_type)

    def schema(self, hidden: Collection[str]) -> Json:
        properties = {name: field.schema() for name, field in self.fields.items() if name not in hidden}
        return {"type": "object", "properties": properties, "x-ns-filterable": []}


def _text(title: str, **more: Any) -> Field:
    return Field("text", title, **more)


def _reference(title: str, *types: str, **more: Any) -> Field:
    return Field("reference", title, refers_to=types, **more)


ITEM_TYPES = ("serviceSaleItem", "discountItem")

_COMMON = {
    "id": _text("Internal ID", read_only=True),
    "externalId": _text("External ID"),
    "createdDate": Field("datetime", "Date Created", read_only=True),
    "lastModifiedDate": Field("datetime", "Last Modified", read_only=True),
}
_NAMED = {**_COMMON, "name": _text("Name", required=True), "isInactive": Field("check", "Inactive")}
_ITEM = {
    **_COMMON,
    "itemId": _text("Item Name", required=True),
    "isInactive": Field("check", "Inactive"),
    "basePrice": Field("number", "Base Price"),
}
_TRANSACTION = {
    **_COMMON,
    "tranId": _text("Number"),
    "tranDate": Field("date", "Date"),
    "currency": _reference("Currency", "currency"),
    "subsidiary": _reference("Subsidiary", "subsidiary"),
    "memo": _text("Memo"),
    "total": Field("number", "Total", read_only=True),
    "status": _reference("Status", read_only=True),
}
_ITEM_LINE = {
    "line": Field("integer", "Line"),
    "item": _reference("Item", *ITEM_TYPES, required=True),
    "description": _text("Description"),
    "quantity": Field("number", "Quantity"),
    "rate": Field("number", "Rate"),
    "amount": Field("number", "Amount"),
    "price": _reference("Price Level"),
    "taxCode": _reference("Tax Code", "salesTaxItem"),
}
_APPLY_LINE = {
    "line": Field("integer", "Line"),
    "doc": _reference("Document", "invoice", "creditMemo", "customerPayment", required=True),
    "apply": Field("check", "Apply"),
    "amount": Field("number", "Payment"),
}
_SALE = {
    **_TRANSACTION,
    "entity": _reference("Customer", "customer", required=True),
    "item": Field("lines", "Items", lines=_ITEM_LINE),
    "subtotal": Field("number", "Subtotal", read_only=True),
    "discountItem": _reference("Discount", "discountItem"),
    "discountRate": _text("Rate"),
    "discountTotal": Field("number", "Discount", read_only=True),
    "taxTotal": Field("number", "Tax", read_only=True),
    "email": _text("To Be E-mailed"),
    "toBeEmailed": Field("check", "To Be E-mailed"),
}

_TYPES = (
    RecordType(
        "customer",
        {
            **_COMMON,
            "entityId": _text("Customer ID"),
            "companyName": _text("Company Name"),
            "isPerson": Field("check", "Individual"),
            "firstName": _text("First Name"),
            "lastName": _text("Last Name"),
            "email": _text("Email"),
            "phone": _text("Phone"),
            "currency": _reference("Currency", "currency"),
            "subsidiary": _reference("Primary Subsidiary", "subsidiary"),
            "terms": _reference("Terms", "term"),
            "isInactive": Field("check", "Inactive"),
        },
        "customer",
    ),
    RecordType(
        "invoice",
        {
            **_SALE,
            "dueDate": Field("date", "Due Date"),
            "terms": _reference("Terms", "term"),
            "amountPaid": Field("number", "Amount Paid", read_only=True),
            "amountRemaining": Field("number", "Amount Due", read_only=True),
        },
        "invoice",
        "CustInvc",
    ),
    RecordType(
        "creditMemo",
        {**_SALE, "apply": Field("lines", "Apply", lines=_APPLY_LINE)},
        "creditMemo",
        "CustCred",
    ),
    RecordType(
        "customerPayment",
        {
            **_TRANSACTION,
            "customer": _reference("Customer", "customer", required=True),
            "payment": Field("number", "Payment Amount", required=True),
            "apply": Field("lines", "Apply", lines=_APPLY_LINE),
        },
        "customerPayment",
        "CustPymt",
    ),
    RecordType(
        "customerRefund",
        {
            **_TRANSACTION,
            "customer": _reference("Customer", "customer", required=True),
            "apply": Field("lines", "Apply", lines=_APPLY_LINE),
        },
        "customerRefund",
        "CustRfnd",
    ),
    RecordType("subsidiary", {**_NAMED, "currency": _reference("Currency", "currency")}, "subsidiary"),
    RecordType("currency", {**_NAMED, "symbol": _text("ISO Code", required=True)}, "currency"),
    RecordType("term", {**_NAMED, "daysUntilNetDue": Field("integer", "Days Till Net Due")}, "term"),
    RecordType(
        "salesTaxItem",
        {
            **_COMMON,
            "itemId": _text("Tax Name", required=True),
            "rate": Field("number", "Rate", required=True),
            "isInactive": Field("check", "Inactive"),
        },
        "salesTaxItem",
    ),
    RecordType("serviceSaleItem", _ITEM, "item"),
    RecordType("discountItem", _ITEM, "item"),
)

FEATURE_FIELDS: Mapping[str, tuple[str, ...]] = {"subsidiaries": ("subsidiary",), "multicurrency": ("currency",)}
"""Feature -> fields that only accounts with it have; the record type of the same name comes and goes with it too."""


CUSTOM_RECORD = "customrecord"
"""How names of record types that an account added begin, and the permission that opens them."""

_CUSTOM_FIELDS = ("custbody", "custentity", "custrecord")


class Catalog:
    """The record types of this account, custom fields included."""

    def __init__(self) -> None:
        self._types = {record_type.name.lower(): record_type for record_type in _TYPES}

    def __iter__(self) -> Any:
        return iter(self._types.values())

    def find(self, name: str) -> RecordType | None:
        """Names in addresses may be written in any case."""
        return self._types.get(name.lower())

    def named(self, name: str) -> RecordType:
        return self._types[name.lower()]

    def add_type(self, name: str) -> None:
        """Add a custom record type. Raises: ControlError."""
        if not name.startswith(CUSTOM_RECORD) or self.find(name) is not None:
            raise ControlError(f"a custom record type has a new name in {CUSTOM_RECORD}...")
        self._types[name.lower()] = RecordType(name, _NAMED, CUSTOM_RECORD)

    def add_field(self, record_type: str, name: str, kind: FieldKind) -> None:
        """Add a custom field. Raises: ControlError."""
        found = self.find(record_type)
        if found is None or kind not in _SCHEMAS or kind == "lines" or not name.startswith(_CUSTOM_FIELDS):
            raise ControlError(f"a custom field has a record, a name in {', '.join(_CUSTOM_FIELDS)}, and a kind")
        fields = {**found.fields, name: Field(kind, name, custom=True)}
        self._types[found.name.lower()] = replace(found, fields=fields)


def checked(field: Field, name: str, value: Any, path: str) -> Any:
    """The value as it is kept. Raises: ApiError for a value of another form."""
    if value is None:
        return None
    if field.kind == "reference":
        return _checked_reference(name, value, path)
    if not _fits(field.kind, value):
        raise invalid_content(
            f"Invalid value for the resource or sub-resource field {name}. Provide a valid value.", path
        )
    if field.kind == "number":
        return Decimal(value)
    return str(value) if field.kind == "text" else value


def _fits(kind: FieldKind, value: Any) -> bool:
    if kind == "check" or isinstance(value, bool):
        return kind == "check" and isinstance(value, bool)
    match kind:
        case "text":
            return isinstance(value, str | int | Decimal)
        case "number":
            return isinstance(value, int | Decimal)
        case "integer":
            return isinstance(value, int)
        case "date":
            return isinstance(value, str) and _is_date(value)
    return isinstance(value, str)


def _checked_reference(name: str, value: Any, path: str) -> Json:
    reference = value.get("id") if isinstance(value, dict) else value
    if isinstance(reference, bool) or not isinstance(reference, str | int):
        raise invalid_content(f"Invalid reference for the field {name}. Provide its id.", path)
    return {"id": str(reference)}


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True

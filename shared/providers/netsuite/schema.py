"""What a record of this account looks like: NetSuite's own description, checked before the first write.

Accounts differ in their custom fields and features, and a field that is silently left out of an invoice is worse than
an invoice that is not made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.domain.values import dataclass
from shared.errors import InputError

CUSTOM_FIELD = "custbody"
"""How NetSuite begins the names of fields that an account added to transactions."""

CUSTOM_RECORD = re.compile(r"customrecord[a-z0-9_]+")
CUSTOM_RECORD_FIELD = "custrecord"
"""How it begins the names of record types that an account added, and of their fields."""

ACCEPT = "application/schema+json"

_YES = frozenset({"true", "t", "yes", "1"})
_NO = frozenset({"false", "f", "no", "0", ""})


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """properties: field name -> its JSON Schema."""

    record_type: str
    properties: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, record_type: str, described: Mapping[str, Any]) -> RecordSchema:
        """Source: GET record/v1/metadata-catalog/{type} as application/schema+json -> {"type": "object",
        "properties": {"tranDate": {"title", "type": "string", "format": "date", "nullable", "readOnly"}}}.
        """
        properties = described.get("properties")
        return cls(record_type, properties if isinstance(properties, dict) else {})

    def encoded(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a write. Texts and amounts take the form the field has here; lists and references stay.

        Raises: InputError naming every field that this account does not have or does not let us write.
        """
        wrong = sorted(name for name in values if not self._is_writable(name))
        if wrong:
            raise InputError(
                f"NetSuite's {self.record_type} has no field {', '.join(wrong)} that this connection may write. "
                "Correct the field mapping, or give the role access to the field."
            )
        return {name: _in_form(name, value, self.properties[name]) for name, value in values.items()}

    def custom_fields(self, prefix: str = CUSTOM_FIELD) -> list[tuple[str, str]]:
        """Name and title of the fields that the account added to this record type and lets us write."""
        own = sorted(name for name in self.properties if name.startswith(prefix) and self._is_writable(name))
        return [(name, str(self.properties[name].get("title") or name)) for name in own]

    def _is_writable(self, name: str) -> bool:
        field = self.properties.get(name)
        return field is not None and not field.get("readOnly")


def _in_form(name: str, value: Any, field: Mapping[str, Any]) -> Any:
    kind = field.get("type")
    if isinstance(value, Decimal) and kind == "string":
        return format(value, "f")
    if not isinstance(value, str):
        return value
    if kind in {"number", "integer"}:
        return _number(name, value, whole=kind == "integer")
    if kind == "boolean":
        return _boolean(name, value)
    if kind == "object" or "$ref" in field:
        return {"id": value}
    return value


def _number(name: str, value: str, *, whole: bool) -> Decimal | int:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (whole and number != number.to_integral_value()):
        raise InputError(f"NetSuite's field {name} holds a number; {value!r} is none.")
    return int(number) if whole else number


def _boolean(name: str, value: str) -> bool:
    word = value.strip().lower()
    if word not in _YES | _NO:
        raise InputError(f"NetSuite's field {name} is a check box: true or false; {value!r} is neither.")
    return word in _YES

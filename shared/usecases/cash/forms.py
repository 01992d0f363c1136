"""What pages send about invoices and mappings, as values. Amounts are texts in whole units, never JSON floats."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from shared.domain.cash.accounting import RecordKind
from shared.domain.cash.ledger_settings import ONLY_COMES, CustomRecord, Direction, Frequency, SubsidiaryRule
from shared.domain.cash.money import from_decimal
from shared.domain.cash.quote import QuoteLine
from shared.domain.ids import is_id
from shared.errors import InputError
from shared.usecases.cash.create_invoice import Reviewed, Source
from shared.usecases.cash.review_mapping import Choices

Form = Mapping[str, Any]
E = TypeVar("E", bound=StrEnum)

MOST_RULES = 100


def text(form: Form, name: str, default: str | None = None) -> str:
    """Raises: InputError for one that is missing, unless there is a default, or no plain text."""
    value = form.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise InputError(f"The field '{name}' is missing or not a text.")
    return value.strip()


def record_id(form: Form, name: str, default: str | None = None) -> str:
    """An id that can be part of a path. Raises: InputError."""
    value = text(form, name, default)
    if value and not is_id(value):
        raise InputError(f"The field '{name}' is no id.")
    return value


def choice(form: Form, name: str, kind: type[E]) -> E:
    """Raises: InputError naming what there is to choose from."""
    try:
        return kind(text(form, name))
    except ValueError as error:
        raise InputError(f"The field '{name}' is one of {', '.join(kind)}.") from error


def source_from(form: Form) -> Source:
    """{"key", "contract" and "instalment" | "deal" | "contact"}. Raises: InputError."""
    instalment = form.get("instalment", 1)
    if not isinstance(instalment, int) or isinstance(instalment, bool):
        raise InputError("The field 'instalment' is a whole number.")
    return Source(
        key=record_id(form, "key", ""),
        contract_id=record_id(form, "contract", "") or None,
        instalment=instalment,
        deal_id=record_id(form, "deal", "") or None,
        contact_id=record_id(form, "contact", "") or None,
    )


def reviewed_from(form: Form) -> Reviewed:
    """{"currency", "lines": [{"product", "description", "quantity", "unit_price", "discount_percent", "taxable"}],
    "tax_percent", "discount_percent" | "discount_amount", "memo", "term", "send"}. Raises: InputError."""
    currency = text(form, "currency")
    lines = form.get("lines")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise InputError("The field 'lines' is a list of lines.")
    amount = text(form, "discount_amount", "")
    return Reviewed(
        lines=tuple(_line(line, number, currency) for number, line in enumerate(lines, 1)),
        currency=currency,
        tax_percent=_number(form, "tax_percent", "0"),
        discount_percent=_number(form, "discount_percent") if form.get("discount_percent") else None,
        discount_amount=from_decimal(amount, currency) if amount else None,
        memo=text(form, "memo", ""),
        term_id=text(form, "term", "") or None,
        sends=form.get("send") is True,
    )


def _line(form: Form, number: int, currency: str) -> QuoteLine:
    return QuoteLine(
        line_id=str(number),
        product_id=text(form, "product", ""),
        description=text(form, "description"),
        quantity=_number(form, "quantity", "1"),
        unit_price=from_decimal(text(form, "unit_price"), currency),
        discount_percent=_number(form, "discount_percent", "0"),
        taxable=form.get("taxable", True) is True,
    )


def _number(form: Form, name: str, default: str | None = None) -> Decimal:
    try:
        value = Decimal(text(form, name, default))
    except InvalidOperation as error:
        raise InputError(f"The field '{name}' is no number.") from error
    if not value.is_finite():
        raise InputError(f"The field '{name}' is no number.")
    return value


def choices_from(form: Form) -> Choices:
    """The mapping page as a whole. Raises: InputError."""
    return Choices(
        items=_texts(form, "items", "maps products to items"),
        default_item=_optional(form, "default_item"),
        income_account_id=_optional(form, "income_account"),
        term_id=_optional(form, "term"),
        tax_code_id=_optional(form, "tax_code"),
        subsidiary_id=_optional(form, "subsidiary"),
        fields=_texts(form, "fields", "maps fields of the ledger to fields of ours"),
        creates_customers=form.get("creates_customers") is True,
        creates_always=form.get("creates_always") is True,
        sends_invoices=form.get("sends_invoices") is True,
        frequency=choice(form, "frequency", Frequency) if form.get("frequency") else Frequency.REAL_TIME,
        subsidiaries=_rules(form.get("subsidiaries", [])),
        records=_records(form.get("records", [])),
        directions={kind: _direction(kind, way) for kind, way in _texts(form, "directions", DIRECTIONS).items()},
    )


DIRECTIONS = "maps kinds of record to directions"


def _rules(rows: object) -> tuple[SubsidiaryRule, ...]:
    if not isinstance(rows, list) or len(rows) > MOST_RULES or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"The field 'subsidiaries' is a list of at most {MOST_RULES} rules: field, value, subsidiary.")
    return tuple(SubsidiaryRule(text(row, "field"), text(row, "value"), text(row, "subsidiary")) for row in rows)


def _records(rows: object) -> tuple[CustomRecord, ...]:
    if not isinstance(rows, list) or len(rows) > MOST_RULES or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"The field 'records' is a list of at most {MOST_RULES} record types: type, fields.")
    what = "maps fields of the ledger to fields of ours"
    return tuple(CustomRecord(record_id(row, "type"), _texts(row, "fields", what)) for row in rows)


def _direction(kind: str, way: str) -> Direction:
    """Raises: InputError, also for a payment that is to go to the ledger: it is entered there."""
    form = {"kind": kind, "direction": way}
    known, direction = choice(form, "kind", RecordKind), choice(form, "direction", Direction)
    if known in ONLY_COMES and direction is Direction.TO_LEDGER:
        raise InputError(f"A {kind.replace('_', ' ')} is entered in the ledger; it comes from there, or not at all.")
    return direction


def _texts(form: Form, name: str, what: str) -> Mapping[str, str]:
    texts = form.get(name, {})
    if not isinstance(texts, dict) or not all(isinstance(kept, str) for pair in texts.items() for kept in pair):
        raise InputError(f"The field '{name}' {what}.")
    return texts


def _optional(form: Form, name: str) -> str | None:
    return text(form, name, "") or None

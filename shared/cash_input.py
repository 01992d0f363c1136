"""What people send about quotes and contracts, as JSON: read into our words, or refused with a sentence.

Amounts are texts in whole units ("150.00"), so that no figure passes through a binary fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from shared.domain.cash.contract_type import ContractType, RoleMapping, Side, TemplateMapping
from shared.domain.cash.money import Money, from_decimal
from shared.domain.cash.quote import DEFAULT_SCHEDULE, Due, Instalment, PriceBreak, QuoteLine, price_of
from shared.domain.cash.signing import Signer
from shared.domain.ids import is_id
from shared.errors import InputError
from shared.usecases.cash.control_contract import Action, ActionKind
from shared.usecases.cash.set_up_signing import SetupChoice
from shared.usecases.cash.write_contract import ContractDraft
from shared.usecases.cash.write_quote import QuoteDraft

Shape = Mapping[str, Any]
T = TypeVar("T")

MOST_LINES = 200
LONGEST_TEXT = 2_000


def quote_draft(shape: Shape) -> QuoteDraft:
    """{"deal", "contact", "currency", "lines": [...], "tax_percent"?, "discount_percent"?, "discount_amount"?,
    "schedule"?, "expires_on"?, "memo"?, "sets_amount"?}. A line is {"description", "unit_price", "product"?,
    "quantity"?, "price_breaks"?: [{"at_least", "unit_price"}], "discount_percent"?, "override"?, "taxable"?}; the
    price that its quantity reaches is copied into it. Raises: InputError."""
    currency = _text(shape, "currency")
    lines = _rows(shape, "lines")
    return QuoteDraft(
        deal_id=_id(shape, "deal"),
        contact_id=_id(shape, "contact"),
        currency=currency,
        lines=tuple(_line(row, str(number), currency) for number, row in enumerate(lines, start=1)),
        tax_percent=_number(shape, "tax_percent", Decimal(0)),
        discount_percent=_maybe(shape, "discount_percent", _decimal),
        discount_amount=_maybe(shape, "discount_amount", lambda value: _money(value, currency)),
        schedule=tuple(_instalment(row, number, currency) for number, row in enumerate(_rows(shape, "schedule"), 1))
        or DEFAULT_SCHEDULE,
        expires_on=_maybe(shape, "expires_on", day),
        memo=_optional(shape, "memo"),
        sets_amount=shape.get("sets_amount") is not False,
    )


def contract_draft(shape: Shape) -> ContractDraft:
    """{"quote", "type", "template"?, "signers"?, "starts_on"?}. Raises: InputError."""
    return ContractDraft(
        quote_id=_id(shape, "quote"),
        type_id=_id(shape, "type"),
        template_id=_optional(shape, "template") or None,
        signers=signers(shape) if "signers" in shape else None,
        starts_on=_maybe(shape, "starts_on", day),
    )


def signers(shape: Shape) -> tuple[Signer, ...]:
    """{"signers": [{"role", "name", "email", "order"?, "ours"?, "embedded"?}]}. Raises: InputError."""
    return tuple(
        Signer(
            recipient_id=str(number),
            role=_text(row, "role"),
            name=_optional(row, "name"),
            email=_optional(row, "email"),
            order=_order(row, number),
            ours=row.get("ours") is True,
            embedded=row.get("embedded") is True,
        )
        for number, row in enumerate(_rows(shape, "signers"), start=1)
    )


def contract_type(shape: Shape) -> ContractType:
    """{"id", "name", "roles": [{"role", "side", "order"?, "embedded"?, "user"?}], "templates"?: [{"id", "name",
    "prefill"?: {role: {label: field}}}], "terms"?, "months"?}. Raises: InputError."""
    months = shape.get("months")
    if months is not None and (isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= 600):
        raise InputError("The months a contract runs are a whole number from 1 to 600.")
    return ContractType(
        type_id=_id(shape, "id"),
        name=_text(shape, "name"),
        roles=tuple(
            RoleMapping(
                role=_text(row, "role"),
                side=_word(row, "side", Side),
                order=_order(row, number),
                embedded=row.get("embedded") is True,
                user_id=_optional(row, "user") or None,
            )
            for number, row in enumerate(_rows(shape, "roles"), start=1)
        ),
        templates=tuple(
            TemplateMapping(_text(row, "id"), _text(row, "name"), _prefill(row.get("prefill") or {}))
            for row in _rows(shape, "templates")
        ),
        terms=_optional(shape, "terms", longest=100_000),
        months=months,
    )


def contract_action(shape: Shape, *, return_url: str) -> Action:
    """{"action", "reason"?, "recipient"?, "name"?, "email"?}. Raises: InputError."""
    return Action(
        kind=_word(shape, "action", ActionKind),
        reason=_optional(shape, "reason"),
        recipient_id=_optional(shape, "recipient"),
        name=_optional(shape, "name"),
        email=_optional(shape, "email"),
        return_url=return_url,
    )


def signing_choice(shape: Shape) -> SetupChoice:
    """{"account"?, "keys"?: [...], "refresh_templates"?: true, "contract_type"?: {...}}. Raises: InputError."""
    keys = shape.get("keys")
    if keys is not None and (not isinstance(keys, list) or not all(isinstance(key, str) for key in keys)):
        raise InputError("'keys' is a list of texts.")
    kind = shape.get("contract_type")
    if kind is not None and not isinstance(kind, dict):
        raise InputError("'contract_type' is an object.")
    return SetupChoice(
        account_id=_optional(shape, "account") or None,
        keys=tuple(keys) if keys is not None else None,
        refresh_templates=shape.get("refresh_templates") is True,
        contract_type=contract_type(kind) if kind is not None else None,
    )


def signed_by(people: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Names and addresses, each typed as "Name <address>"; the address may be left out."""
    found = []
    for person in people:
        name, _, rest = person.partition("<")
        found.append((name.strip(), rest.rstrip(">").strip()))
    return tuple(found)


def day(value: object) -> date:
    """A day as 2026-12-31. Raises: InputError."""
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(f"'{str(value)[:40]}' is no day; write it as 2026-12-31.") from error


def _line(row: Shape, number: str, currency: str) -> QuoteLine:
    quantity, priced_in = _number(row, "quantity", Decimal(1)), str(row.get("currency") or currency)
    breaks = [
        PriceBreak(_number(one, "at_least", Decimal(0)), _money(one.get("unit_price"), priced_in))
        for one in _rows(row, "price_breaks")
    ]
    return QuoteLine(
        line_id=number,
        product_id=_optional(row, "product"),
        description=_text(row, "description"),
        quantity=quantity,
        unit_price=price_of(quantity, _money(row.get("unit_price"), priced_in), breaks),
        discount_percent=_number(row, "discount_percent", Decimal(0)),
        override=_maybe(row, "override", lambda value: _money(value, currency)),
        taxable=row.get("taxable") is not False,
    )


def _instalment(row: Shape, number: int, currency: str) -> Instalment:
    amount = _maybe(row, "amount", lambda value: _money(value, currency))
    days = row.get("days")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 3650):
        raise InputError("The days after signing are a whole number from 0 to 3650.")
    return Instalment(
        number=number,
        due=_word(row, "due", Due) if "due" in row else Due.AT_SIGNING,
        percent=None if amount is not None else _number(row, "percent", Decimal(0)),
        amount=amount,
        on=_maybe(row, "on", day),
        days=days,
    )


def _prefill(shape: object) -> dict[str, dict[str, str]]:
    if not isinstance(shape, dict) or not all(isinstance(labels, dict) for labels in shape.values()):
        raise InputError("What is filled in is given by role, then by field.")
    return {str(role): {str(label): str(name) for label, name in labels.items()} for role, labels in shape.items()}


def _rows(shape: Shape, name: str) -> list[Shape]:
    rows = shape.get(name) or []
    if not isinstance(rows, list) or len(rows) > MOST_LINES or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"'{name}' is a list of at most {MOST_LINES} entries.")
    return rows


def _word(row: Shape, name: str, words: Callable[[str], T]) -> T:
    try:
        return words(str(row.get(name)))
    except ValueError as error:
        raise InputError(f"'{str(row.get(name))[:40]}' is no {name} we know.") from error


def _order(row: Shape, number: int) -> int:
    order = row.get("order", number)
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= 100:
        raise InputError("The order of a signer is a whole number from 1.")
    return order


def _id(shape: Shape, name: str) -> str:
    value = _text(shape, name)
    if not is_id(value):
        raise InputError(f"'{name}' is not an id.")
    return value


def _text(shape: Shape, name: str) -> str:
    value = _optional(shape, name)
    if not value:
        raise InputError(f"'{name}' is missing.")
    return value


def _optional(shape: Shape, name: str, *, longest: int = LONGEST_TEXT) -> str:
    value = shape.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise InputError(f"'{name}' is a text of at most {longest} characters.")
    return value.strip()


def _maybe(shape: Shape, name: str, read: Callable[[object], T]) -> T | None:
    value = shape.get(name)
    return None if value in (None, "") else read(value)


def _number(shape: Shape, name: str, usual: Decimal) -> Decimal:
    found = _maybe(shape, name, _decimal)
    return usual if found is None else found


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError('Write numbers as text, such as "12.50".')
    try:
        found = Decimal(value)
    except InvalidOperation as error:
        raise InputError(f"'{str(value)[:40]}' is no number.") from error
    if not found.is_finite() or abs(found) > Decimal(10) ** 12:
        raise InputError(f"'{str(value)[:40]}' is no number that can be used.")
    return found


def _money(value: object, currency: str) -> Money:
    if value in (None, ""):
        raise InputError("A price is missing.")
    return from_decimal(_decimal(value), currency)

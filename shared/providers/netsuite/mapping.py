"""NetSuite's shapes and ours: records and rows in, values of the domain out, and the other way about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.cash.accounting import (
    InvoiceDraft,
    InvoiceLine,
    InvoiceStatus,
    LedgerCustomer,
    LedgerInvoice,
    LedgerPayment,
    NewCustomer,
    PaymentKind,
    RecordKind,
)
from shared.domain.cash.money import Money, from_decimal
from shared.domain.values import dataclass
from shared.errors import AdminActionError, InputError, PayloadError

RECORD_TYPES: Mapping[PaymentKind, str] = {
    PaymentKind.PAYMENT: "customerPayment",
    PaymentKind.CREDIT_MEMO: "creditMemo",
    PaymentKind.REFUND: "customerRefund",
}

TRANSACTION_TYPES: Mapping[str, RecordKind] = {
    "CustInvc": RecordKind.INVOICE,
    "CustPymt": RecordKind.PAYMENT,
    "CustCred": RecordKind.CREDIT_MEMO,
    "CustRfnd": RecordKind.REFUND,
}
"""SuiteQL's column `type` of the transactions that concern us."""

PAYING_TYPES: Mapping[str, PaymentKind] = {"CustPymt": PaymentKind.PAYMENT, "CustCred": PaymentKind.CREDIT_MEMO}
"""The transactions that can be applied to an invoice."""

CUSTOM_PRICE = {"id": "-1"}
"""The price level under which NetSuite keeps the price it is given instead of its own."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What only a query tells of a transaction. updated_at: aware UTC, to the second. taken_back: by our own credit."""

    updated_at: datetime
    voided: bool
    taken_back: bool = False


class Currencies:
    """The account's currencies: internal ids and ISO codes. base: of accounts that have no others."""

    def __init__(self, code_by_id: Mapping[str, str], base: str) -> None:
        self._code_by_id = code_by_id
        self._base = base

    def code(self, currency_id: str | None) -> str:
        """Raises: AdminActionError where the role sees no currency at all, and something is in one."""
        if currency_id is None:
            return self._base
        if not self._code_by_id:
            raise AdminActionError("netsuite lists no currencies", reason="permission_missing")
        if currency_id not in self._code_by_id:
            raise PayloadError(f"NetSuite names currency {currency_id}, which it does not list")
        return self._code_by_id[currency_id]

    def reference(self, code: str) -> dict[str, str] | None:
        """For a record's `currency`; None where the account has one currency and no such field.

        Raises: InputError for a currency that the account does not have.
        """
        for currency_id, known in self._code_by_id.items():
            if known == code:
                return {"id": currency_id}
        if not self._code_by_id and code == self._base:
            return None
        raise InputError(f"NetSuite has no currency {code}. Add it under Lists > Accounting > Currencies.")


def version_of(updated_at: datetime) -> int:
    """Microseconds since 1970."""
    return (updated_at - _EPOCH) // timedelta(microseconds=1)


# ------------------------------------------------------------------------------------------------------------- to them


def customer_values(customer: NewCustomer, currencies: Currencies, subsidiary_id: str | None) -> dict[str, Any]:
    """The fields of record/v1/customer."""
    return _without_empty(
        {
            "companyName": customer.name,
            "isPerson": False,
            "email": customer.email,
            "phone": customer.phone,
            "currency": currencies.reference(customer.currency),
            "subsidiary": _reference(customer.subsidiary_id or subsidiary_id),
        }
    )


def invoice_values(
    draft: InvoiceDraft,
    currencies: Currencies,
    *,
    subsidiary_id: str | None,
    discount_item_id: str | None,
    own_numbers: bool,
) -> dict[str, Any]:
    """The fields of record/v1/invoice; our mapped fields last, so that they win.

    Raises: InputError for a discount on the whole where no discount item is chosen, or an unknown currency.
    """
    values: dict[str, Any] = {
        "externalId": draft.external_id,
        "tranId": draft.number if own_numbers else "",
        "entity": _reference(draft.customer_id),
        "subsidiary": _reference(draft.subsidiary_id or subsidiary_id),
        "currency": currencies.reference(draft.total.currency),
        "tranDate": draft.issued_on.isoformat(),
        "dueDate": draft.due_on.isoformat() if draft.due_on else "",
        "terms": _reference(draft.term_id),
        "memo": draft.memo,
        "email": draft.email,
        "toBeEmailed": False,
        "item": {"items": [_line(line, draft.tax_code_id) for line in draft.lines]},
    }
    if draft.discount.minor:
        if discount_item_id is None:
            raise InputError("A discount on the whole invoice needs a discount item. Choose one for NetSuite.")
        values |= {"discountItem": _reference(discount_item_id), "discountRate": -draft.discount.decimal}
    return _without_empty(values) | dict(draft.fields)


def _line(line: InvoiceLine, tax_code_id: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "item": _reference(line.item_id),
        "description": line.description,
        "price": CUSTOM_PRICE,
        "quantity": line.quantity,
        "amount": line.amount.decimal,
        "taxCode": _reference(line.tax_code_id or tax_code_id) if line.taxable else None,
    }
    if line.quantity * line.unit_price == line.amount.decimal:  # else NetSuite works the rate out from the amount
        values["rate"] = line.unit_price
    return _without_empty(values)


def _reference(record_id: str | None) -> dict[str, str] | None:
    return {"id": record_id} if record_id else None


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """An empty value would clear a field, which is not what leaving it out means."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


# ----------------------------------------------------------------------------------------------------------- from them


def customer_from(row: Mapping[str, str], currencies: Currencies) -> LedgerCustomer:
    """Source: SuiteQL's customer; a person has firstname and lastname and may have no companyname."""
    person = f"{row.get('firstname', '')} {row.get('lastname', '')}".strip()
    return LedgerCustomer(
        customer_id=row["id"],
        name=row.get("companyname") or person or row.get("entityid", ""),
        email=row.get("email", ""),
        active=row.get("isinactive") != "T",
        currency=currencies.code(row.get("currency")),
        external_id=row.get("externalid"),
        phone=row.get("phone", ""),
        first_name=row.get("firstname", ""),
        last_name=row.get("lastname", ""),
    )


def invoice_from(record: Mapping[str, Any], stamp: Stamp, currencies: Currencies) -> LedgerInvoice:
    """Source: record/v1/invoice/{id}: total, taxTotal, amountRemaining, tranId, entity.id, currency.id, dueDate,
    externalId, toBeEmailed. Its `status` is not used: accounts rename statuses, and the balance says it all."""
    currency = currencies.code(_id_in(record, "currency"))
    total = _money(record, "total", currency)
    balance = _money(record, "amountRemaining", currency)
    due_on = record.get("dueDate")
    return LedgerInvoice(
        invoice_id=str(record["id"]),
        number=str(record.get("tranId", "")),
        version=version_of(stamp.updated_at),
        customer_id=_id_in(record, "entity") or "",
        total=total,
        tax=_money(record, "taxTotal", currency),
        balance=balance,
        status=_status(total, balance, stamp),
        updated_at=stamp.updated_at,
        due_on=date.fromisoformat(due_on) if due_on else None,
        emailed=bool(record.get("toBeEmailed")),
        external_id=record.get("externalId"),
    )


def payment_from(kind: PaymentKind, record: Mapping[str, Any], stamp: Stamp, currencies: Currencies) -> LedgerPayment:
    """Source: record/v1/{type}/{id}?expandSubResources=true: `payment` (customerPayment) or `total`, `customer` or
    `entity`, tranDate, apply.items [{doc.id, apply, amount}]."""
    currency = currencies.code(_id_in(record, "currency"))
    lines = record.get("apply", {}).get("items", [])
    applied: dict[str, int] = {}
    for line in lines if not stamp.voided else []:
        document = _id_in(line, "doc")
        if line.get("apply") and document:
            applied[document] = applied.get(document, 0) + _money(line, "amount", currency).minor
    return LedgerPayment(
        payment_id=str(record["id"]),
        kind=kind,
        version=version_of(stamp.updated_at),
        customer_id=_id_in(record, "customer") or _id_in(record, "entity") or "",
        amount=_money(record, "payment" if kind is PaymentKind.PAYMENT else "total", currency),
        applied={document: minor for document, minor in applied.items() if minor},
        paid_on=date.fromisoformat(record["tranDate"]),
        updated_at=stamp.updated_at,
        voided=stamp.voided,
    )


def changed_minute(record: Mapping[str, Any]) -> datetime:
    """When a record last changed: aware UTC, to the minute, which is all it tells."""
    return datetime.fromisoformat(record["lastModifiedDate"]).astimezone(UTC).replace(second=0, microsecond=0)


def _status(total: Money, balance: Money, stamp: Stamp) -> InvoiceStatus:
    if stamp.voided or (stamp.taken_back and balance.minor == 0):
        return InvoiceStatus.VOID
    if balance.minor <= 0:
        return InvoiceStatus.PAID
    return InvoiceStatus.PARTIALLY_PAID if balance < total else InvoiceStatus.OPEN


def _money(values: Mapping[str, Any], name: str, currency: str) -> Money:
    """NetSuite writes 22680.0; an absent amount is zero."""
    return from_decimal(Decimal(str(values.get(name) or 0)), currency)


def _id_in(values: Mapping[str, Any], name: str) -> str | None:
    """A reference is {"id": "5", "refName": "..."}; some are given as the bare id."""
    reference = values.get(name)
    if isinstance(reference, dict):
        reference = reference.get("id")
    return None if reference is None else str(reference)

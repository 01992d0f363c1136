"""What a bookkeeper does in QuickBooks while nobody watches: payments, bounces, credits, refunds, edits.

Each act takes a JSON object and answers the object it made or changed. Amounts are texts such as "100.00".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from local.quickbooks.books import Books
from local.quickbooks.errors import ControlError, Json
from local.quickbooks.settings import money


def act(books: Books, name: str, wish: Json) -> Json:
    """Raises: ControlError for an act there is not; VendorError for one that QuickBooks refuses."""
    known = ACTS.get(name)
    if known is None:
        raise ControlError(f"a bookkeeper does not {name}; they can {', '.join(sorted(ACTS))}")
    return known(books, wish)


def _pay(books: Books, wish: Json) -> Json:
    """{"invoice", "amount"?}: what is open if no amount is given; what is more than that stays unapplied."""
    invoice = _object(books, "Invoice", wish.get("invoice"))
    balance = money(invoice["Balance"])
    amount = money(wish.get("amount", balance))
    applied = min(amount, balance)
    line = {"Amount": applied, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    body = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": amount, "Line": [line] if applied else []}
    return books.create("Payment", body)


def _bounce(books: Books, wish: Json) -> Json:
    """{"payment", "by"?: "void" or "delete"}: the bank took the money back."""
    payment = _object(books, "Payment", wish.get("payment"))
    return books.delete("Payment", payment) if wish.get("by") == "delete" else books.void("Payment", payment)


def _unapply(books: Books, wish: Json) -> Json:
    """{"payment"}: the money stays with the customer and pays no invoice any more."""
    return books.update("Payment", {**_object(books, "Payment", wish.get("payment")), "sparse": True, "Line": []})


def _credit(books: Books, wish: Json) -> Json:
    """{"invoice", "amount", "apply"?}: a credit memo, applied through a payment of 0.00 unless apply is false."""
    invoice = _object(books, "Invoice", wish.get("invoice"))
    memo = books.create("CreditMemo", _untaxed_form(books, invoice["CustomerRef"], money(wish.get("amount", 0))))
    if wish.get("apply", True):
        links = [("Invoice", invoice["Id"]), ("CreditMemo", memo["Id"])]
        lines = [
            {"Amount": memo["TotalAmt"], "LinkedTxn": [{"TxnId": record, "TxnType": kind}]} for kind, record in links
        ]
        books.create("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": Decimal(0), "Line": lines})
    return books.read("CreditMemo", memo["Id"])


def _refund(books: Books, wish: Json) -> Json:
    """{"customer", "amount"}: money given back."""
    return books.create(
        "RefundReceipt", _untaxed_form(books, {"value": str(wish.get("customer"))}, money(wish.get("amount", 0)))
    )


def _edit(books: Books, wish: Json) -> Json:
    """{"invoice", "fields"}: a sparse update with QuickBooks' own names."""
    invoice = _object(books, "Invoice", wish.get("invoice"))
    changed = {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"], "sparse": True, **wish.get("fields", {})}
    return books.update("Invoice", changed)


def _void(books: Books, wish: Json) -> Json:
    return books.void("Invoice", _object(books, "Invoice", wish.get("invoice")))


def _delete(books: Books, wish: Json) -> Json:
    return books.delete("Invoice", _object(books, "Invoice", wish.get("invoice")))


def _add(books: Books, wish: Json) -> Json:
    """{"entity", "body"}: anything else, in QuickBooks' own words."""
    return books.create(str(wish.get("entity")), dict(wish.get("body", {})))


def _untaxed_form(books: Books, customer: Json, amount: Decimal) -> Json:
    us = books.settings.country == "US"
    free = next((code for code, body in books.tables["TaxCode"].items() if body["Name"] in {"NON", "Exempt"}), "NON")
    item = next(item["Id"] for item in books.tables["Item"].values() if item["Type"] == "Service")
    detail = {"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": amount, "TaxCodeRef": {"value": free}}
    line = {"DetailType": "SalesItemLineDetail", "Amount": amount, "SalesItemLineDetail": detail}
    mode = {} if us else {"GlobalTaxCalculation": "TaxExcluded"}
    return {"CustomerRef": customer, "Line": [line], **mode}


def _object(books: Books, entity: str, record_id: Any) -> Json:
    if str(record_id) not in books.tables[entity]:
        raise ControlError(f"there is no {entity} {record_id}")
    return books.read(entity, str(record_id))


ACTS: Mapping[str, Callable[[Books, Json], Json]] = {
    "pay": _pay,
    "bounce": _bounce,
    "unapply": _unapply,
    "credit": _credit,
    "refund": _refund,
    "edit": _edit,
    "void": _void,
    "delete": _delete,
    "add": _add,
}

"""The company's bookkeeper: what people do in NetSuite while the product looks on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from local.netsuite.books import Books, Record
from local.netsuite.errors import ControlError, Json


class Bookkeeper:
    """Acts on the books by name: `do("pay", {"invoice": "12", "amount": 100})`. Answers the id of what it made."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.actions: Mapping[str, Callable[[Json], str]] = {
            "pay": self._pay,
            "unapply": self._unapply,
            "void": self._void,
            "credit": self._credit,
            "refund": self._refund,
            "edit": self._edit,
            "delete": self._delete,
        }

    def do(self, action: str, spec: Json) -> str:
        """Raises: ControlError for an unknown action; ApiError where the books refuse."""
        if action not in self.actions:
            raise ControlError(f"the bookkeeper can {', '.join(sorted(self.actions))}, not {action}")
        return self.actions[action](spec)

    def _pay(self, spec: Json) -> str:
        """invoice; amount: all that is left if not given; applied: of it, all if not given."""
        invoice = self._found(spec, "invoice")
        amount = _amount(spec, "amount", self._books.remaining(invoice))
        applied = _amount(spec, "applied", amount)
        lines = [{"doc": {"id": invoice.id}, "apply": True, "amount": applied}] if applied else []
        body = {"customer": invoice.fields["entity"], "payment": amount, "apply": {"items": lines}}
        return self._books.create(self._books.kind("customerPayment"), body).id

    def _unapply(self, spec: Json) -> str:
        """record: a payment or credit memo, which keeps its amount and settles nothing any more."""
        record = self._found(spec, "record")
        self._books.change(record, {"apply": {"items": []}}, replace={"apply"})
        return record.id

    def _void(self, spec: Json) -> str:
        """record: an invoice without payments, or a payment that bounced."""
        record = self._found(spec, "record")
        self._books.void(record)
        return record.id

    def _credit(self, spec: Json) -> str:
        """invoice; amount: all that is left if not given. Untaxed, on one line."""
        invoice = self._found(spec, "invoice")
        amount = _amount(spec, "amount", self._books.remaining(invoice))
        body = {
            "entity": invoice.fields["entity"],
            "item": {"items": [{"item": invoice.lines("item")[0]["item"], "amount": amount}]},
            "apply": {"items": [{"doc": {"id": invoice.id}, "apply": True, "amount": amount}]},
        }
        return self._books.create(self._books.kind("creditMemo"), body).id

    def _refund(self, spec: Json) -> str:
        """record: a payment or credit memo of which something is not used; amount: all of that if not given."""
        record = self._found(spec, "record")
        amount = _amount(spec, "amount", self._books.remaining(record))
        customer = record.fields.get("customer") or record.fields["entity"]
        line = {"doc": {"id": record.id}, "apply": True, "amount": amount}
        body = {"customer": customer, "apply": {"items": [line]}}
        return self._books.create(self._books.kind("customerRefund"), body).id

    def _edit(self, spec: Json) -> str:
        """record, fields: as REST has them."""
        record = self._found(spec, "record")
        self._books.change(record, spec.get("fields", {}))
        return record.id

    def _delete(self, spec: Json) -> str:
        record = self._found(spec, "record")
        self._books.delete(record)
        return record.id

    def _found(self, spec: Json, name: str) -> Record:
        record = self._books.by_id(str(spec.get(name, "")))
        if record is None:
            raise ControlError(f"{name} names no record")
        return record


def _amount(spec: Json, name: str, default: Decimal) -> Decimal:
    return Decimal(str(spec[name])) if name in spec else default

"""The account's records: a plain model that keeps NetSuite's rules about them.

What is worth knowing of it: lines sent for a sublist are merged into the ones there are, so that the same write done
twice doubles them; an external id is given once among all transactions; what is still to be paid is what payments and
credits have left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from local.netsuite.errors import (
    ApiError,
    Json,
    invalid_content,
    invalid_value,
    no_such_record,
    not_simulated,
    user_error,
)
from local.netsuite.record_types import FEATURE_FIELDS, Catalog, Field, RecordType, checked
from local.netsuite.sums import Sums, completed_line, sums

_ZERO = Decimal(0)

PAYING = ("customerPayment", "creditMemo")
"""The records that settle invoices."""


@dataclass(slots=True)
class Record:
    """fields: as the REST service has them, less what is computed. Times are aware UTC."""

    id: str
    kind: RecordType
    fields: Json
    created_at: datetime
    changed_at: datetime
    voided: bool = False

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    def reference(self, name: str) -> str | None:
        value = self.fields.get(name)
        return str(value["id"]) if value else None

    def lines(self, name: str) -> list[Json]:
        return list(self.fields.get(name, []))


class Books:
    """Every record of the account. Not thread-safe; its owner takes care.

    Args:
        now: the account's clock, aware UTC.
        zone: the account's time zone, in which queries tell times.
    """

    def __init__(self, now: Callable[[], datetime], zone: ZoneInfo) -> None:
        self.now = now
        self.zone = zone
        self.catalog = Catalog()
        self.features = set(FEATURE_FIELDS)
        self.own_numbers = True
        self.payments_touch = True
        """Whether what is applied to a document counts as a change of it; nobody says how the real one has it."""
        self.mailed: list[tuple[str, str]] = []
        """Invoice ids and addresses, in the order in which they were mailed."""
        self._records: dict[str, Record] = {}
        self._next_id = 1

    # ------------------------------------------------------------------------------------------------------- reading

    def kind(self, name: str) -> RecordType:
        """Raises: ApiError for a record type that the account does not have."""
        found = self.catalog.find(name)
        hidden = {field for feature in self._missing_features() for field in FEATURE_FIELDS[feature]}
        if found is None or found.name in hidden:
            raise ApiError(404, "NONEXISTENT_ID", f"Record type '{name}' does not exist.")
        return found

    def hidden_fields(self) -> frozenset[str]:
        return frozenset(field for feature in self._missing_features() for field in FEATURE_FIELDS[feature])

    def all(self, *names: str) -> Iterator[Record]:
        """Records of these types, oldest first."""
        return (record for record in self._records.values() if record.kind.name in names)

    def get(self, kind: RecordType, key: str) -> Record:
        """key: an internal id, or "eid:" and an external id. Raises: ApiError 404."""
        found = self._by_external_id(kind, key[4:]) if key.startswith("eid:") else self._records.get(key)
        if found is None or found.kind.name != kind.name:
            raise no_such_record(kind.name)
        return found

    def by_id(self, record_id: str) -> Record | None:
        return self._records.get(record_id)

    def remaining(self, record: Record) -> Decimal:
        """Of an invoice what is to be paid, of a payment or credit what is not used."""
        if record.voided:
            return _ZERO
        total = self.total(record)
        if record.kind.name == "invoice":
            return total - self.settled(record.id)
        used = sum((line["amount"] for line in applied_lines(record)), _ZERO)
        return total - used - self.settled(record.id)

    def settled(self, document_id: str) -> Decimal:
        """What payments, credits and refunds have applied to a document."""
        return sum(
            (
                line["amount"]
                for record in self.all(*PAYING, "customerRefund")
                for line in applied_lines(record)
                if line["doc"]["id"] == document_id
            ),
            _ZERO,
        )

    def total(self, record: Record) -> Decimal:
        if record.kind.name == "customerPayment":
            return Decimal(record.fields["payment"])
        if record.kind.name == "customerRefund":
            return sum((line["amount"] for line in applied_lines(record)), _ZERO)
        return self.sums(record).total

    def sums(self, record: Record) -> Sums:
        return sums(record.lines("item"), record.text("discountRate"), self._tax_rate)

    def _tax_rate(self, code_id: str) -> Decimal:
        return Decimal(self._records[code_id].fields["rate"])

    def _by_external_id(self, kind: RecordType, external_id: str) -> Record | None:
        for record in self._records.values():
            same_family = record.kind.name == kind.name or (record.kind.is_transaction and kind.is_transaction)
            if same_family and record.fields.get("externalId") == external_id:
                return record
        return None

    def _missing_features(self) -> set[str]:
        return set(FEATURE_FIELDS) - self.features

    # ------------------------------------------------------------------------------------------------------- writing

    def create(self, kind: RecordType, body: Json, *, strict: bool = True) -> Record:
        """strict: refuse unknown properties, as PropertyNameValidation: error asks; else they are left out unsaid."""
        fields = self._checked(kind, body, strict=strict)
        external_id = fields.get("externalId")
        if external_id and self._by_external_id(kind, external_id):
            raise user_error("This record already exists.")
        self._require(kind, fields)
        now = self.now()
        record = Record(str(self._next_id), kind, {}, now, now)
        self._store(record, fields)
        self._next_id += 1
        return record

    def upsert(
        self, kind: RecordType, external_id: str, body: Json, *, strict: bool, replace: Collection[str]
    ) -> Record:
        """By external id: change the record there is, or create one."""
        found = self._by_external_id(kind, external_id)
        if found is None:
            return self.create(kind, {**body, "externalId": external_id}, strict=strict)
        return self.change(self.get(kind, found.id), body, strict=strict, replace=replace)

    def change(self, record: Record, body: Json, *, strict: bool = True, replace: Collection[str] = ()) -> Record:
        """Change the fields that are given. Lines are merged by their number, and added where they have none.

        replace: sublists whose old lines go, as in `?replace=item`.
        """
        fields = self._checked(record.kind, body, strict=strict)
        for name, field in record.kind.fields.items():
            if field.kind == "lines" and name in fields:
                kept = [] if name in replace else record.lines(name)
                fields[name] = _merged(kept, fields[name])
        self._store(record, {**record.fields, **fields})
        return record

    def delete(self, record: Record) -> None:
        if record.kind.name == "invoice" and self.settled(record.id):
            raise user_error("This transaction cannot be deleted because it is linked to by one or more transactions.")
        for line in applied_lines(record):
            self._touch(line["doc"]["id"])
        del self._records[record.id]

    def void(self, record: Record) -> None:
        """What an accountant does in the user interface; REST has no such call."""
        if record.kind.name == "invoice" and self.settled(record.id):
            raise user_error("This transaction cannot be voided because payments are applied to it.")
        for line in applied_lines(record):
            self._touch(line["doc"]["id"])
        record.voided = True
        record.changed_at = self.now()

    def credit_in_full(self, invoice: Record, body: Json, *, strict: bool = True) -> Record:
        """The transformation invoice -> creditMemo: the same lines, applied to what is left to pay."""
        inherited = ("entity", "currency", "subsidiary", "discountItem", "discountRate")
        copied = {name: invoice.fields[name] for name in inherited if name in invoice.fields}
        lines = [{key: value for key, value in line.items() if key != "line"} for line in invoice.lines("item")]
        left = self.remaining(invoice)
        applied = [{"doc": {"id": invoice.id}, "apply": True, "amount": left}] if left > 0 else []
        credit = {**copied, "item": {"items": lines}, "apply": {"items": applied}, **body}
        return self.create(self.catalog.named("creditMemo"), credit, strict=strict)

    def _store(self, record: Record, fields: Json) -> None:
        """Complete, check and keep `fields`; nothing has changed if this raises."""
        draft = Record(record.id, record.kind, fields, record.created_at, self.now(), record.voided)
        match record.kind.name:
            case "customer":
                self._complete_customer(draft)
            case "invoice" | "creditMemo":
                self._complete_sale(draft)
            case "customerPayment" | "customerRefund":
                self._complete_transaction(
                    draft, self.get(self.catalog.named("customer"), draft.fields["customer"]["id"])
                )
        self._check_applied(draft, record)
        touched = {line["doc"]["id"] for line in [*applied_lines(record), *applied_lines(draft)]}
        record.fields, record.changed_at = draft.fields, draft.changed_at
        self._records[record.id] = record
        for document_id in touched:
            self._touch(document_id)
        self._mail(record)

    def _complete_customer(self, draft: Record) -> None:
        person = f"{draft.text('firstName')} {draft.text('lastName')}".strip()
        name = draft.text("companyName") or person
        if not name:
            raise user_error("Please enter value(s) for: Company Name")
        draft.fields.setdefault("entityId", name)
        for other in self.all("customer"):
            if other.id != draft.id and other.text("entityId") == draft.text("entityId"):
                raise user_error("This entity already exists.")
        if "subsidiaries" in self.features and not draft.reference("subsidiary"):
            raise user_error("Please enter value(s) for: Primary Subsidiary")
        subsidiary = self.by_id(draft.reference("subsidiary") or "")
        if subsidiary and "multicurrency" in self.features and "currency" in subsidiary.fields:
            draft.fields.setdefault("currency", subsidiary.fields["currency"])

    def _complete_sale(self, draft: Record) -> None:
        if not draft.lines("item"):
            raise user_error("You must enter at least one line item for this transaction.")
        customer = self.get(self.catalog.named("customer"), draft.fields["entity"]["id"])
        self._complete_transaction(draft, customer)
        if draft.reference("subsidiary") != customer.reference("subsidiary"):
            raise invalid_value(draft.reference("subsidiary"), "subsidiary", "subsidiary")
        lines = [completed_line(line, self._base_price(line)) for line in draft.lines("item")]
        draft.fields["item"] = [{**line, "line": number} for number, line in enumerate(lines, start=1)]

    def _complete_transaction(self, draft: Record, customer: Record) -> None:
        draft.fields.setdefault("tranDate", draft.changed_at.astimezone(self.zone).date().isoformat())
        for name in ("currency", "subsidiary"):
            if name in customer.fields:
                draft.fields.setdefault(name, customer.fields[name])
        if not draft.text("tranId") or not (self.own_numbers or draft.id in self._records):
            draft.fields["tranId"] = f"{draft.kind.search_type.upper()}{draft.id}"

    def _check_applied(self, draft: Record, before: Record) -> None:
        for number, line in enumerate(applied_lines(draft)):
            document = self._records[line["doc"]["id"]]
            mine = sum((old["amount"] for old in applied_lines(before) if old["doc"]["id"] == document.id), _ZERO)
            if line["amount"] <= 0 or line["amount"] > self.remaining(document) + mine:
                raise invalid_value(line["amount"], "amount", f"apply.items[{number}].amount")
        if draft.kind.name in PAYING:
            used = sum((line["amount"] for line in applied_lines(draft)), _ZERO)
            if used > self.total(draft):
                raise user_error("The amount applied exceeds the amount of the transaction.")

    def _base_price(self, line: Json) -> Decimal:
        return Decimal(self._records[line["item"]["id"]].fields.get("basePrice", 0))

    def _mail(self, record: Record) -> None:
        """A transaction that is to be mailed is mailed as it is saved."""
        if record.kind.name == "invoice" and record.fields.get("toBeEmailed"):
            self.mailed.append((record.id, record.text("email")))

    def _touch(self, record_id: str) -> None:
        if self.payments_touch and record_id in self._records:
            self._records[record_id].changed_at = self.now()

    def _checked(self, kind: RecordType, body: Json, *, strict: bool) -> Json:
        known = {name: field for name, field in kind.fields.items() if name not in self.hidden_fields()}
        return self._checked_fields(known, body, "", strict=strict)

    def _checked_fields(self, known: Any, body: Json, path: str, *, strict: bool) -> Json:
        fields: Json = {}
        for name, value in body.items():
            field = known.get(name)
            if field is None or field.read_only:
                if strict:
                    raise invalid_content(f"Unknown reference or field: {name}.", f"{path}{name}")
                continue
            if field.kind == "lines":
                fields[name] = self._checked_lines(name, field, value, strict=strict)
                continue
            fields[name] = self._resolved(field, name, checked(field, name, value, f"{path}{name}"), f"{path}{name}")
        return fields

    def _checked_lines(self, name: str, field: Field, value: Any, *, strict: bool) -> list[Json]:
        items = value.get("items") if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise invalid_content(f"Sublist {name} has no items.", name)
        lines = []
        for number, item in enumerate(items):
            path = f"{name}.items[{number}]."
            line = self._checked_fields(field.lines, item, path, strict=strict)
            missing = [key for key, part in (field.lines or {}).items() if part.required and key not in line]
            if missing and "line" not in line:
                raise user_error(f"Please enter value(s) for: {missing[0]}")
            lines.append(line)
        return lines

    def _resolved(self, field: Field, name: str, value: Any, path: str) -> Any:
        """References must lead somewhere; "eid:" in them is looked up."""
        if field.kind != "reference" or value is None or not field.refers_to:
            return value
        if value["id"].startswith("eid:"):
            raise not_simulated("references by external id")
        found = self._records.get(value["id"])
        if found is None or found.kind.name not in field.refers_to:
            raise invalid_value(value["id"], name, path)
        return value

    def _require(self, kind: RecordType, fields: Json) -> None:
        missing = [field.title for name, field in kind.fields.items() if field.required and name not in fields]
        if missing:
            raise user_error(f"Please enter value(s) for: {', '.join(missing)}")

    # ------------------------------------------------------------------------------------------------ keeping, by file

    def dump(self) -> Json:
        return {
            "next_id": self._next_id,
            "mailed": [list(mail) for mail in self.mailed],
            "records": [
                {
                    "id": record.id,
                    "type": record.kind.name,
                    "fields": record.fields,
                    "created_at": record.created_at.isoformat(),
                    "changed_at": record.changed_at.isoformat(),
                    "voided": record.voided,
                }
                for record in self._records.values()
            ],
        }

    def load(self, state: Json) -> None:
        self._next_id = state["next_id"]
        self.mailed = [(invoice_id, email) for invoice_id, email in state["mailed"]]
        for name in {kept["type"] for kept in state["records"]}:
            if self.catalog.find(name) is None:
                self.catalog.add_type(name)
        self._records = {
            kept["id"]: Record(
                kept["id"],
                self.catalog.named(kept["type"]),
                kept["fields"],
                datetime.fromisoformat(kept["created_at"]),
                datetime.fromisoformat(kept["changed_at"]),
                kept["voided"],
            )
            for kept in state["records"]
        }

    def clear(self) -> None:
        self.load({"next_id": 1, "mailed": [], "records": []})


def applied_lines(record: Record) -> list[Json]:
    """The lines of `apply` that are ticked and carry an amount; none of a voided record."""
    if record.voided:
        return []
    return [line for line in record.lines("apply") if line.get("apply") and line.get("amount")]


def _merged(old: list[Json], new: list[Json]) -> list[Json]:
    lines = [dict(line) for line in old]
    by_number = {line.get("line"): line for line in lines}
    for line in new:
        there = by_number.get(line["line"]) if "line" in line else None
        if there is None:
            lines.append(line)
        else:
            there.update(line)
            if "quantity" in line or "rate" in line:
                there.pop("amount", None) if "amount" not in line else None
    return lines

"""One company's books: objects with versions, what hangs together between them, and a record of every change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from local.google.clock import Now
from local.quickbooks.errors import Json, VendorError, bad_query, gone, invalid, not_simulated
from local.quickbooks.forms import NAMED, PROPERTIES, complete
from local.quickbooks.query import parse, run
from local.quickbooks.settings import CompanySettings, money

LOOK_BACK = timedelta(days=30)
MOST_CHANGES = 1000
TRANSACTIONS = frozenset({"Invoice", "Payment", "CreditMemo", "RefundReceipt"})
BALANCES = {"Invoice": "Balance", "CreditMemo": "RemainingCredit"}
"""Where a form says what payments have left of it."""

_PACIFIC = ZoneInfo("America/Los_Angeles")  # QuickBooks stamps with its own offset, wherever the company is


@dataclass(frozen=True, slots=True)
class Change:
    """operation: Create, Update, Delete, Void or Emailed."""

    realm_id: str
    entity: str
    id: str
    operation: str
    at: datetime


class Books:
    """Callers hold the simulator's lock."""

    def __init__(self, settings: CompanySettings, now: Now, on_change: Callable[[Change], None]) -> None:
        self.settings = settings
        self.tables: dict[str, dict[str, Json]] = {entity: {} for entity in PROPERTIES}
        self.deleted: list[Json] = []
        self._replies: dict[str, Json] = {}
        self._last_id = 0
        self._last_number = 1000
        self._now = now
        self._on_change = on_change

    # ------------------------------------------------------------------------------------------------------- the API

    def read(self, entity: str, record_id: str) -> Json:
        found = self._table(entity).get(record_id)
        if found is None:
            raise gone(f"{entity} {record_id}")
        return copy.deepcopy(found)

    def create(self, entity: str, body: Json, request_id: str | None = None) -> Json:
        """The same request id answers what it answered the first time, whatever is in the body."""
        with_reply = self._replies.get(request_id or "")
        if with_reply is not None:
            return copy.deepcopy(with_reply)
        stored = complete(self, entity, body)
        # Tax codes may bring their own ids, since TAX and NON are ids.
        record_id = str(body.get("Id") or "") if entity == "TaxCode" else ""
        stored["Id"] = record_id or self._new_id()
        stored["SyncToken"] = "0"
        self._put(entity, stored, "Create", created=True)
        self._settle()
        return self._remember(request_id, self.read(entity, stored["Id"]))

    def update(self, entity: str, body: Json, request_id: str | None = None) -> Json:
        """Sparse: what is named changes. Full: what is not named is cleared."""
        with_reply = self._replies.get(request_id or "")
        if with_reply is not None:
            return copy.deepcopy(with_reply)
        current = self._current(entity, body)
        kept = current if body.get("sparse") else {name: current[name] for name in ("Id", "SyncToken", "MetaData")}
        stored = complete(self, entity, {**copy.deepcopy(kept), **body})
        stored.pop("sparse", None)
        stored["MetaData"] = current["MetaData"]
        self._put(entity, stored, "Update")
        self._settle()
        return self._remember(request_id, self.read(entity, stored["Id"]))

    def void(self, entity: str, body: Json) -> Json:
        """Amounts become zero, the number stays, and the private note says so. What was applied is free again."""
        if entity not in TRANSACTIONS:
            raise invalid(f"{entity} cannot be voided")
        current = copy.deepcopy(self._current(entity, body))
        current.pop("sparse", None)
        self._unlink(entity, current["Id"])
        for line in current.get("Line", []):
            line["Amount"] = money(0)
            for name in ("Qty", "UnitPrice"):
                (line.get("SalesItemLineDetail") or {}).pop(name, None)
        if entity == "Payment":
            current.update({"Line": [], "UnappliedAmt": money(0)})
        else:
            current["TxnTaxDetail"] = {"TotalTax": money(0)}
        note = str(current.get("PrivateNote") or "")
        current.update({"TotalAmt": money(0), "PrivateNote": f"Voided - {note}" if note else "Voided"})
        self._put(entity, current, "Void")
        self._settle()
        return self.read(entity, current["Id"])

    def delete(self, entity: str, body: Json) -> Json:
        if entity not in TRANSACTIONS:
            raise invalid(f"{entity} cannot be deleted; it can be made inactive")
        current = self._current(entity, body)
        record_id = current["Id"]
        self._unlink(entity, record_id)
        del self.tables[entity][record_id]
        meta = {"LastUpdatedTime": self.stamp()}
        self.deleted.append({"entity": entity, "domain": "QBO", "status": "Deleted", "Id": record_id, "MetaData": meta})
        self._tell(entity, record_id, "Delete")
        self._settle()
        return {"domain": "QBO", "status": "Deleted", "Id": record_id}

    def send(self, record_id: str, address: str | None) -> Json:
        invoice = self.read("Invoice", record_id)
        wanted = address or (invoice.get("BillEmail") or {}).get("Address")
        if not wanted or "@" not in wanted:
            raise invalid("BillEmail: an email address is needed")
        delivered = {"DeliveryType": "Email", "DeliveryTime": self.stamp()}
        invoice.update({"EmailStatus": "EmailSent", "BillEmail": {"Address": wanted}, "DeliveryInfo": delivered})
        self._put("Invoice", invoice, "Emailed")
        return self.read("Invoice", record_id)

    def query(self, text: str) -> Json:
        statement = parse(text)
        entity = next((name for name in self.tables if name.lower() == statement.entity.lower()), None)
        if entity is None:
            raise not_simulated(f"queries for {statement.entity}")
        for path in [one.path for one in statement.conditions] + ([statement.order[0]] if statement.order else []):
            if path.split(".")[0] not in PROPERTIES[entity]:
                raise bad_query(f"Property {path} not found for Entity {entity}")
        found = run(statement, self.tables[entity].values())
        if statement.count:
            return {"QueryResponse": {"totalCount": len(found)}}
        if not found:
            return {"QueryResponse": {}}
        objects = copy.deepcopy(found)
        return {"QueryResponse": {entity: objects, "startPosition": statement.start, "maxResults": len(objects)}}

    def changed_since(self, entities: list[str], since: datetime) -> Json:
        if since < self._now() - LOOK_BACK:
            raise invalid("changedSince: look-back is 30 days")
        groups: list[Json] = []
        for entity in entities:
            live = [body for body in self._table(entity).values() if _updated_at(body) >= since]
            dead = [
                {name: value for name, value in body.items() if name != "entity"}
                for body in self.deleted
                if body["entity"] == entity and _updated_at(body) >= since
            ]
            found = copy.deepcopy([*live, *dead][:MOST_CHANGES])
            groups.append({entity: found, "startPosition": 1, "maxResults": len(found)} if found else {})
        return {"CDCResponse": [{"QueryResponse": groups}]}

    # ---------------------------------------------------------------------------------- what the forms' checks may ask

    def today(self) -> date:
        return self._now().astimezone(_PACIFIC).date()

    def next_number(self) -> str:
        self._last_number += 1
        return str(self._last_number)

    def open_amount(self, entity: str, record_id: str, without_payment: str | None) -> Decimal:
        """What of an invoice is unpaid, or of a credit memo unused, leaving one payment out of account."""
        applied = sum(
            (amount for payment, kind, target, amount in self._links() if (kind, target) == (entity, record_id)
             and payment != without_payment),
            Decimal(0),
        )  # fmt: skip
        return money(self.tables[entity][record_id]["TotalAmt"]) - applied

    # -------------------------------------------------------------------------------------------------------- keeping

    def stamp(self) -> str:
        return self._now().astimezone(_PACIFIC).isoformat(timespec="seconds")

    def dump(self) -> Json:
        return {
            "settings": asdict(self.settings),
            "tables": self.tables,
            "deleted": self.deleted,
            "replies": self._replies,
            "last_id": self._last_id,
            "last_number": self._last_number,
        }

    def load(self, state: Json) -> None:
        self.settings.change({name: value for name, value in state["settings"].items() if name != "realm_id"})
        self.tables.update(state["tables"])
        self.deleted, self._replies = state["deleted"], state["replies"]
        self._last_id, self._last_number = state["last_id"], state["last_number"]

    def _table(self, entity: str) -> dict[str, Json]:
        if entity not in self.tables:
            raise not_simulated(f"the kind {entity}")
        return self.tables[entity]

    def _current(self, entity: str, body: Json) -> Json:
        """The object that `body` is about, if `body` knows its newest version."""
        current = self._table(entity).get(str(body.get("Id")))
        if current is None:
            raise gone(f"{entity} {body.get('Id')}")
        if str(body.get("SyncToken")) != current["SyncToken"]:
            detail = f"Stale Object Error : You and another user were working on this {entity} at the same time."
            raise VendorError("5010", "Stale Object Error", detail)
        return current

    def _put(self, entity: str, body: Json, operation: str, *, created: bool = False) -> None:
        meta = body.get("MetaData") or {}
        stamp = self.stamp()
        body["MetaData"] = {"CreateTime": meta.get("CreateTime", stamp), "LastUpdatedTime": stamp}
        if not created:
            body["SyncToken"] = str(int(body["SyncToken"]) + 1)
        body["domain"] = "QBO"
        if entity in BALANCES:
            body.update(self._balance(entity, body))
        self.tables[entity][body["Id"]] = body
        if entity in TRANSACTIONS or entity in NAMED:
            self._tell(entity, body["Id"], operation)

    def _tell(self, entity: str, record_id: str, operation: str) -> None:
        self._on_change(Change(self.settings.realm_id, entity, record_id, operation, self._now()))

    def _remember(self, request_id: str | None, reply: Json) -> Json:
        if request_id:
            self._replies[request_id] = copy.deepcopy(reply)
        return reply

    def _new_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    # ------------------------------------------------------------------------------------- payments and what they pay

    def _links(self) -> Iterator[tuple[str, str, str, Decimal]]:
        """Payment, kind, id and amount of everything applied."""
        for payment in self.tables["Payment"].values():
            for line in payment["Line"]:
                yield payment["Id"], *_target(line), money(line["Amount"])

    def _unlink(self, entity: str, record_id: str) -> None:
        """Payments lose the lines of a form that goes away; the money stays, unapplied."""
        for payment in copy.deepcopy(list(self.tables["Payment"].values())):
            kept = [line for line in payment["Line"] if _target(line) != (entity, record_id)]
            if len(kept) < len(payment["Line"]):
                self._put("Payment", complete(self, "Payment", {**payment, "Line": kept}), "Update")

    def _settle(self) -> None:
        """A form whose balance or links moved, since a payment did, has a new version."""
        for entity in BALANCES:
            for form in copy.deepcopy(list(self.tables[entity].values())):
                if any(form.get(name) != value for name, value in self._balance(entity, form).items()):
                    self._put(entity, form, "Update")

    def _balance(self, entity: str, form: Json) -> Json:
        """What is left of a form, and the payments that took the rest."""
        links = [link for link in self._links() if link[1:3] == (entity, form["Id"])]
        left = money(form["TotalAmt"]) - sum((amount for *_, amount in links), Decimal(0))
        return {
            BALANCES[entity]: left,
            "LinkedTxn": [{"TxnId": payment, "TxnType": "Payment"} for payment, *_ in links],
        }


def _target(line: Json) -> tuple[str, str]:
    linked: Json = line["LinkedTxn"][0]
    return linked["TxnType"], linked["TxnId"]


def _updated_at(body: Json) -> datetime:
    return datetime.fromisoformat(body["MetaData"]["LastUpdatedTime"])

"""NetSuite as a `Ledger`: customers by upsert, invoices by POST alone, and what has been paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from shared.domain.cash.accounting import (
    ChoiceKind,
    InvoiceDraft,
    InvoiceStatus,
    LedgerChange,
    LedgerChoice,
    LedgerCompany,
    LedgerCustomer,
    LedgerInvoice,
    LedgerPayment,
    NewCustomer,
    PaymentKind,
    RecordKind,
)
from shared.domain.values import dataclass
from shared.errors import AdminActionError, AlreadyExistsError, InputError, NotFoundError
from shared.ports.cash import ChangesPage
from shared.ports.marks import reads
from shared.ports.time import Clock
from shared.providers.netsuite import mapping, schema, suiteql
from shared.providers.netsuite.client import NetsuiteClient, Row
from shared.providers.netsuite.errors import UnknownTableError

OVERLAP = timedelta(minutes=5)
"""How far the next poll looks back: clocks differ, and a change is told only once its transaction is through."""

_CUSTOMER_COLUMNS = "id, companyname, firstname, lastname, entityid, email, phone, currency, externalid, isinactive"

_SOLD_ITEMS = "('Service', 'NonInvtPart', 'InvtPart', 'OthCharge', 'Kit', 'Assembly')"

_CHOICES = {
    ChoiceKind.ITEM: suiteql.select("id, itemid AS name, isinactive", "item", f"itemtype IN {_SOLD_ITEMS}"),
    ChoiceKind.TERM: suiteql.select("id, name, daysuntilnetdue AS days, isinactive", "term", ""),
    # Without the rate: SuiteQL does not say whether 8 % is 8 or 0.08.
    ChoiceKind.TAX_CODE: suiteql.select("id, itemid AS name, isinactive", "salestaxitem", ""),
    ChoiceKind.SUBSIDIARY: suiteql.select("id, name, currency, isinactive", "subsidiary", ""),
}

_RECORD_KINDS = ("customer", "invoice", "customerPayment", "creditMemo", "customerRefund")
_TABLE_KINDS = ("item", "term", "salestaxitem", "currency", "subsidiary")


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """What NetSuite does not tell, or leaves to us.

    company_name, currency: of the company; a chosen subsidiary's own name and currency win.
    time_zone: IANA, as under Setup > Company > Company Information; times in query answers are meant in it.
    subsidiary_id: who invoices where a draft names nobody; None for accounts without subsidiaries.
    discount_item_id: of type discount, for discounts on the whole.
    access: how we are let in, in words; no secrets.
    own_numbers: invoices may be numbered by us (Auto-Generated Numbers > Allow Override).
    """

    company_name: str
    currency: str
    time_zone: str
    subsidiary_id: str | None = None
    discount_item_id: str | None = None
    own_numbers: bool = True
    access: Mapping[str, str] = field(default_factory=dict)


class NetsuiteLedger:
    """`ports.Ledger` on one account. What hardly changes (currencies, record descriptions) is read once."""

    def __init__(self, client: NetsuiteClient, settings: LedgerSettings, *, clock: Clock) -> None:
        """Nothing is sent yet."""
        self._client = client
        self._settings = settings
        self._clock = clock
        self._zone = ZoneInfo(settings.time_zone)
        self._known_currencies: mapping.Currencies | None = None
        self._schemas: dict[str, schema.RecordSchema] = {}

    # ------------------------------------------------------------------------------------------------------- company

    @reads
    def company(self) -> LedgerCompany:
        """Raises: AdminActionError (`permission_missing`, `subsidiary_missing`) where the subsidiary cannot be read."""
        name, currency = self._settings.company_name, self._settings.currency
        if self._settings.subsidiary_id:
            wanted = suiteql.number(self._settings.subsidiary_id)
            query = suiteql.select("id, name, currency", "subsidiary", f"id = {wanted}")
            rows = self._visible(query, "company.read")
            if not rows:
                raise AdminActionError(f"netsuite company.read: no subsidiary {wanted}", reason="subsidiary_missing")
            name, currency = rows[0]["name"], self._currencies().code(rows[0].get("currency"))
        return LedgerCompany(
            company_id=self._client.account.account_id,
            name=name,
            currency=currency,
            custom_numbers=self._settings.own_numbers,
            computes_tax=True,
            time_zone=self._settings.time_zone,
            access=self._settings.access,
        )

    def _visible(self, query: str, purpose: str) -> list[Row]:
        """Of a table without which nothing works: one that is not there is one that the role may not see."""
        try:
            return self._client.query(query, purpose=purpose)
        except UnknownTableError as unseen:
            raise AdminActionError(str(unseen), reason="permission_missing") from unseen

    @reads
    def permissions(self) -> dict[str, bool]:
        """Kinds of record -> whether this role may see them, each tried by itself. Whether it may create them shows
        only when it does.

        Raises: what every call raises, but AdminActionError for a missing permission, which is the answer here.
        """
        allowed = {kind: self._may_list(kind) for kind in _RECORD_KINDS}
        return allowed | {table: self._may_query(table) for table in _TABLE_KINDS}

    def _may_list(self, kind: str) -> bool:
        try:
            self._client.get(f"record/v1/{kind}", params={"limit": "1"}, purpose=f"{kind}.permission_checked")
        except AdminActionError as refusal:
            if refusal.reason != "permission_missing":
                raise
            return False
        return True

    def _may_query(self, table: str) -> bool:
        try:
            self._client.query(suiteql.select("id", table, "id = 0"), purpose=f"{table}.permission_checked")
        except UnknownTableError:
            return False
        except AdminActionError as refusal:
            if refusal.reason != "permission_missing":
                raise
            return False
        return True

    @reads
    def choices(self, kind: ChoiceKind) -> tuple[LedgerChoice, ...]:
        """Empty for accounts: NetSuite takes the income account from the item. Empty also where the account lacks the
        feature (subsidiaries) or keeps tax elsewhere (SuiteTax). Fields: those the account added to its invoices."""
        if kind is ChoiceKind.ACCOUNT:
            return ()
        if kind is ChoiceKind.FIELD:
            return tuple(LedgerChoice(name, title) for name, title in self._schema("invoice").custom_fields())
        try:
            rows = self._client.query(_CHOICES[kind], purpose=f"{kind}.listed")
        except UnknownTableError:
            return ()
        return tuple(self._choice(row) for row in rows)

    def _choice(self, row: Row) -> LedgerChoice:
        days, currency = row.get("days"), row.get("currency")
        return LedgerChoice(
            id=row["id"],
            name=row.get("name", ""),
            active=row.get("isinactive") != "T",
            days=int(days) if days else None,
            currency=self._currencies().code(currency) if currency else "",
        )

    @reads
    def record_fields(self, record_type: str) -> tuple[LedgerChoice, ...]:
        own = self._custom_schema(record_type).custom_fields(schema.CUSTOM_RECORD_FIELD)
        return tuple(LedgerChoice(name, title) for name, title in own)

    def write_record(self, record_type: str, external_id: str, fields: Mapping[str, str]) -> None:
        """An upsert by our external id, which makes a repeat harmless."""
        body = self._custom_schema(record_type).encoded({"name": external_id, **fields})
        path = f"record/v1/{record_type}/eid:{quote(external_id, safe='')}"
        self._client.write("PUT", path, body, purpose="custom_record.upserted")

    def _custom_schema(self, record_type: str) -> schema.RecordSchema:
        """Raises: InputError for what is no custom record type of this account; other types have ways of their own."""
        if not schema.CUSTOM_RECORD.fullmatch(record_type):
            raise InputError("A record type of your own has an id that begins with customrecord.")
        try:
            return self._schema(record_type)
        except NotFoundError:
            raise InputError(f"NetSuite has no record type {record_type}.") from None

    # ----------------------------------------------------------------------------------------------------- customers

    @reads
    def customers(self) -> tuple[LedgerCustomer, ...]:
        return self._customers_where("isinactive = 'F'", "customer.listed")

    @reads
    def customer(self, customer_id: str) -> LedgerCustomer | None:
        found = self._customers_where(f"id = {suiteql.number(customer_id)}", "customer.read")
        return found[0] if found else None

    @reads
    def find_customer(self, name: str) -> LedgerCustomer | None:
        """By company name, or by the id NetSuite displays. Names need not be unique there; the oldest is taken."""
        literal = suiteql.text(name)
        found = self._customers_where(
            f"isinactive = 'F' AND (companyname = {literal} OR entityid = {literal})", "customer.found"
        )
        return found[0] if found else None

    def create_customer(self, customer: NewCustomer, key: str) -> LedgerCustomer:  # noqa: ARG002 - see below
        """An upsert by our external id, which is the idempotency: `key` has no place in it."""
        values = mapping.customer_values(customer, self._currencies(), self._settings.subsidiary_id)
        body = self._schema("customer").encoded(values)
        path = f"record/v1/customer/eid:{quote(customer.external_id, safe='')}"
        customer_id = self._client.write("PUT", path, body, purpose="customer.upserted")
        return LedgerCustomer(
            customer_id=customer_id,
            name=customer.name,
            email=customer.email,
            active=True,
            currency=customer.currency,
            external_id=customer.external_id,
            phone=customer.phone,
        )

    def _customers_where(self, condition: str, purpose: str) -> tuple[LedgerCustomer, ...]:
        rows = self._client.query(suiteql.select(_CUSTOMER_COLUMNS, "customer", condition), purpose=purpose)
        currencies = self._currencies()
        return tuple(mapping.customer_from(row, currencies) for row in rows)

    # ------------------------------------------------------------------------------------------------------ invoices

    def create_invoice(self, draft: InvoiceDraft, key: str) -> LedgerInvoice:  # noqa: ARG002 - see below
        """By POST, never by PUT: an upsert of an invoice that is there already adds our lines to it once more.

        NetSuite keeps idempotency keys for asynchronous requests only, so `key` has no place here. Our external id
        takes its part: a second invoice with it is refused (AlreadyExistsError), and `find_invoice` finds the first.
        """
        values = self._invoice_values(draft)
        body = self._schema("invoice").encoded(values)
        return self._existing_invoice(self._client.write("POST", "record/v1/invoice", body, purpose="invoice.created"))

    @reads
    def find_invoice(self, number: str, external_id: str) -> LedgerInvoice | None:
        """By our external id; else one with our number that carries no other external id."""
        wanted = f"externalid = {suiteql.text(external_id)} OR tranid = {suiteql.text(number)}"
        query = suiteql.select("id, externalid", "transaction", f"type = 'CustInvc' AND ({wanted})")
        rows = self._client.query(query, purpose="invoice.found")
        ours = [row for row in rows if row.get("externalid") == external_id]
        numbered = [row for row in rows if "externalid" not in row]
        return self.invoice((ours or numbered)[0]["id"]) if ours or numbered else None

    @reads
    def invoice(self, invoice_id: str) -> LedgerInvoice | None:
        try:
            return self._existing_invoice(invoice_id)
        except NotFoundError:
            return None

    def restore_invoice(self, invoice_id: str, draft: InvoiceDraft) -> LedgerInvoice:
        """Write our draft over it, its lines replaced and not added to.

        Raises: NotFoundError; InputError for an invoice that was taken back.
        Source: PATCH record/v1/invoice/{id}?replace=item.
        """
        if self._existing_invoice(invoice_id).status is InvoiceStatus.VOID:
            raise InputError("This invoice was taken back in NetSuite; it cannot be written over any more.")
        values = self._invoice_values(draft)
        body = self._schema("invoice").encoded(values)
        path = f"record/v1/invoice/{suiteql.number(invoice_id)}"
        self._client.change(path, body, purpose="invoice.restored", replacing="item")
        return self._existing_invoice(invoice_id)

    def void_invoice(self, invoice_id: str) -> LedgerInvoice:
        """Take it back by a credit memo in full: the one way that REST offers, and the one that leaves a trace.

        Raises: InputError for an invoice that is paid in part or in full; NotFoundError.
        """
        before = self._existing_invoice(invoice_id)
        if before.status is InvoiceStatus.VOID:
            return before
        if before.balance != before.total:
            raise InputError(
                "Something was paid or credited on this invoice already. Credit the rest in NetSuite, where it can be "
                "seen what is to be paid back."
            )
        path = f"record/v1/invoice/{suiteql.number(invoice_id)}/!transform/creditMemo"
        with suppress(AlreadyExistsError):  # made by an earlier try whose answer was lost
            self._client.write("POST", path, {"externalId": _credit_id(invoice_id)}, purpose="invoice.voided")
        after = self._existing_invoice(invoice_id)
        if after.status is not InvoiceStatus.VOID:
            raise InputError("NetSuite has our credit memo for this invoice, but not applied to it. Apply it there.")
        return after

    def _invoice_values(self, draft: InvoiceDraft) -> dict[str, Any]:
        return mapping.invoice_values(
            draft,
            self._currencies(),
            subsidiary_id=self._settings.subsidiary_id,
            discount_item_id=self._settings.discount_item_id,
            own_numbers=self._settings.own_numbers,
        )

    def send_invoice(self, invoice_id: str, email: str) -> LedgerInvoice:
        """NetSuite mails it as it saves it; doing this again mails it again."""
        path = f"record/v1/invoice/{suiteql.number(invoice_id)}"
        self._client.change(path, {"toBeEmailed": True, "email": email}, purpose="invoice.sent")
        return replace(self._existing_invoice(invoice_id), emailed=True)

    def _existing_invoice(self, invoice_id: str) -> LedgerInvoice:
        """Raises: NotFoundError."""
        record, stamp = self._transaction("invoice", invoice_id, "invoice.read")
        return mapping.invoice_from(record, stamp, self._currencies())

    # ------------------------------------------------------------------------------------------------------ payments

    @reads
    def payment(self, kind: PaymentKind, payment_id: str) -> LedgerPayment | None:
        """A refund pays back credits and overpayments, so its `applied` names those and no invoices."""
        try:
            record, stamp = self._transaction(mapping.RECORD_TYPES[kind], payment_id, f"{kind}.read")
        except NotFoundError:
            return None
        return mapping.payment_from(kind, record, stamp, self._currencies())

    @reads
    def payments_of(self, invoice_id: str) -> Sequence[LedgerPayment]:
        wanted = suiteql.number(invoice_id)
        kinds = ", ".join(suiteql.text(kind) for kind in mapping.PAYING_TYPES)
        query = suiteql.select(
            "DISTINCT nextdoc, nexttype",
            "nexttransactionlinelink",
            f"previousdoc = {wanted} AND nexttype IN ({kinds})",
            order_by="nextdoc",
        )
        rows = self._client.query(query, purpose="invoice.payments_listed")
        found = [self.payment(mapping.PAYING_TYPES[row["nexttype"]], row["nextdoc"]) for row in rows]
        return [payment for payment in found if payment is not None and invoice_id in payment.applied]

    # ------------------------------------------------------------------------------------------------------- changes

    @reads
    def changes_since(self, since: datetime) -> ChangesPage:
        """What was created or changed, deletions not included: NetSuite keeps those from a role like ours. A record
        that is gone shows when it is read again."""
        complete_until = self._clock.now() - OVERLAP
        moment = suiteql.since(since, self._zone)
        kinds = ", ".join(suiteql.text(kind) for kind in mapping.TRANSACTION_TYPES)
        # By id and not by time: a record that changes while pages are read would push another one off its page.
        transactions = self._client.query(
            suiteql.select(
                f"id, type, {suiteql.CHANGED}",
                "transaction",
                f"type IN ({kinds}) AND lastmodifieddate >= {moment}",
            ),
            purpose="transaction.changes_read",
        )
        customers = self._client.query(
            suiteql.select(f"id, {suiteql.CHANGED}", "customer", f"lastmodifieddate >= {moment}"),
            purpose="customer.changes_read",
        )
        changes = [self._change(mapping.TRANSACTION_TYPES[row["type"]], row) for row in transactions]
        changes += [self._change(RecordKind.CUSTOMER, row) for row in customers]
        return ChangesPage(tuple(sorted(changes, key=lambda change: change.changed_at)), complete_until)

    def _change(self, kind: RecordKind, row: Row) -> LedgerChange:
        return LedgerChange(
            kind=kind,
            id=row["id"],
            changed_at=suiteql.told_at(row["changed"], self._zone),
            company_id=self._client.account.account_id,
        )

    # -------------------------------------------------------------------------------------------------------- shared

    def _transaction(self, record_type: str, record_id: str, purpose: str) -> tuple[dict[str, Any], mapping.Stamp]:
        """A transaction's record, and what only a query tells of it. Read again if it changed in between.

        Raises: NotFoundError; AdminActionError (`time_zone_wrong`).
        """
        record, rows = self._record(record_type, record_id, purpose), self._rows(record_id)
        if self._updated_at(record, rows[record_id]) is None:
            record, rows = self._record(record_type, record_id, purpose), self._rows(record_id)
        row, minute = rows.pop(record_id), mapping.changed_minute(record)
        updated_at = self._updated_at(record, row)
        if updated_at is None and suiteql.is_of_another_zone(minute, row["changed"], self._zone):
            raise AdminActionError(f"netsuite {purpose}: times of another zone", reason="time_zone_wrong")
        taken_back = any(credit.get("voided") != "T" for credit in rows.values())
        return record, mapping.Stamp(updated_at or minute, row.get("voided") == "T", taken_back)

    def _record(self, record_type: str, record_id: str, purpose: str) -> dict[str, Any]:
        path = f"record/v1/{record_type}/{suiteql.number(record_id)}"
        return self._client.get(path, params={"expandSubResources": "true"}, purpose=purpose)

    def _rows(self, transaction_id: str) -> dict[str, Row]:
        """Id -> row: of the transaction, and of the credit memo with which we took it back, if we did.

        Raises: NotFoundError where it was deleted since its record was read.
        """
        rows = self._client.query(
            suiteql.select(
                f"id, externalid, voided, {suiteql.CHANGED}",
                "transaction",
                f"id = {suiteql.number(transaction_id)} OR externalid = {suiteql.text(_credit_id(transaction_id))}",
            ),
            purpose="transaction.stamp_read",
        )
        found = {row["id"]: row for row in rows}
        if transaction_id not in found:
            raise NotFoundError(f"transaction {transaction_id} is gone")
        return found

    def _updated_at(self, record: dict[str, Any], row: Row) -> datetime | None:
        return suiteql.precise(mapping.changed_minute(record), row["changed"], self._zone)

    def _currencies(self) -> mapping.Currencies:
        if self._known_currencies is None:
            try:
                rows = self._client.query(suiteql.select("id, symbol", "currency", ""), purpose="currency.listed")
            except UnknownTableError:  # an account with one currency
                rows = []
            codes = {row["id"]: row["symbol"] for row in rows}
            self._known_currencies = mapping.Currencies(codes, self._settings.currency)
        return self._known_currencies

    def _schema(self, record_type: str) -> schema.RecordSchema:
        if record_type not in self._schemas:
            path = f"record/v1/metadata-catalog/{record_type}"
            described = self._client.get(path, accept=schema.ACCEPT, purpose=f"{record_type}.described")
            self._schemas[record_type] = schema.RecordSchema.of(record_type, described)
        return self._schemas[record_type]


def _credit_id(invoice_id: str) -> str:
    """The external id of the credit memo with which we take an invoice back: there can be one only."""
    return f"throughline-void-{invoice_id}"

"""An accounting system in memory: numbers and external ids are unique, tax is computed here, changes have versions.

What a bookkeeper does to it is methods of its own. Every change leaves a notice in `notices`; whether and how often it
is delivered is the test's to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

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
from shared.domain.cash.money import Money, rounded, total
from shared.errors import AlreadyExistsError, AppError, InputError, NotFoundError, ProviderUnavailableError
from shared.ports.cash import ChangesPage
from shared.ports.marks import reads
from shared.ports.time import Clock

COMPANY = LedgerCompany(
    company_id="9130350000000001",
    name="Acme Books",
    currency="USD",
    custom_numbers=True,
    computes_tax=True,
    time_zone="America/New_York",
    country="US",
)
KIND_OF = {
    PaymentKind.PAYMENT: RecordKind.PAYMENT,
    PaymentKind.CREDIT_MEMO: RecordKind.CREDIT_MEMO,
    PaymentKind.REFUND: RecordKind.REFUND,
}


@dataclass(slots=True)
class Row:
    """An invoice as the ledger keeps it."""

    invoice: LedgerInvoice
    draft: InvoiceDraft
    key: str


class FakeLedger:
    """One company's books.

    tax_percent: what it computes with; cents_off: how far its tax is off. idempotent: it remembers request keys;
    unique: it refuses a number or external id that is taken; shows_mailed: an invoice tells that it was mailed.
    lost_replies: how many of the next creations are done and not answered. late: how many of the next creations are not
    answered and done only when `land` is called. refusing: sentences for the next creations. down: every call fails;
    shut_out: with this error. sent: who was mailed which invoice. calls: how often each method was called; on_call:
    hears of each before it is worked on.
    """

    def __init__(self, clock: Clock, *, company: LedgerCompany = COMPANY) -> None:
        self.tax_percent = Decimal(0)
        self.cents_off = 0
        self.idempotent = True
        self.unique = True
        self.lost_replies = 0
        self.late = 0
        self.refusing: list[str] = []
        self.down = False
        self.shut_out: AppError | None = None
        self.mailing_refused = ""
        self.shows_mailed = True
        self.in_flight: list[Callable[[], object]] = []
        self.notices: list[LedgerChange] = []
        self.sent: list[tuple[str, str]] = []
        self.records: dict[tuple[str, str], dict[str, str]] = {}
        self.calls: Counter[str] = Counter()
        self.on_call: Callable[[str], object] = lambda _: None
        self._company = company
        self._clock = clock
        self._ids = count(101)
        self._customers: dict[str, LedgerCustomer] = {}
        self._rows: dict[str, Row] = {}
        self._payments: dict[tuple[PaymentKind, str], LedgerPayment] = {}
        self._by_key: dict[str, str] = {}
        self._changes: list[LedgerChange] = []

    # ----------------------------------------------------------------------------------------------- company, customers

    @reads
    def company(self) -> LedgerCompany:
        self._called("company")
        return self._company

    @reads
    def customers(self) -> tuple[LedgerCustomer, ...]:
        self._called("customers")
        return tuple(self._customers.values())

    @reads
    def customer(self, customer_id: str) -> LedgerCustomer | None:
        self._called("customer")
        return self._customers.get(customer_id)

    @reads
    def find_customer(self, name: str) -> LedgerCustomer | None:
        self._called("find_customer")
        return next((kept for kept in self._customers.values() if kept.name.casefold() == name.casefold()), None)

    def create_customer(self, customer: NewCustomer, key: str) -> LedgerCustomer:
        self._called("create_customer")
        if key in self._by_key:
            return self._customers[self._by_key[key]]
        if any(kept.name.casefold() == customer.name.casefold() for kept in self._customers.values()):
            raise AlreadyExistsError("6240: the name is taken")
        made = self.has_customer(customer.name, email=customer.email)
        self._by_key[key] = made.customer_id
        return made

    @reads
    def permissions(self) -> Mapping[str, bool]:
        self._called("permissions")
        return {"invoice": True, "customerRefund": False}

    @reads
    def choices(self, kind: ChoiceKind) -> tuple[LedgerChoice, ...]:
        self._called("choices")
        if kind is ChoiceKind.FIELD:
            return (LedgerChoice("custbody_deal", "Deal"), LedgerChoice("custbody_contract", "Contract"))
        if kind is ChoiceKind.ITEM:
            return (LedgerChoice("1", "Services"), LedgerChoice("2", "Annual Licence"))
        if kind is ChoiceKind.SUBSIDIARY:
            return (LedgerChoice("7", "Acme GmbH", currency="EUR"), LedgerChoice("8", "Acme West", currency="USD"))
        return (LedgerChoice("3", "Net 30", days=30),) if kind is ChoiceKind.TERM else ()

    @reads
    def record_fields(self, record_type: str) -> tuple[LedgerChoice, ...]:
        self._called("record_fields")
        if record_type != "customrecord_project":
            raise InputError(f"The ledger has no record type {record_type}.")
        return (LedgerChoice("custrecord_name", "Name"), LedgerChoice("custrecord_contract", "Contract"))

    def write_record(self, record_type: str, external_id: str, fields: Mapping[str, str]) -> None:
        self._called("write_record")
        self.records[record_type, external_id] = dict(fields)

    # --------------------------------------------------------------------------------------------------------- invoices

    def create_invoice(self, draft: InvoiceDraft, key: str) -> LedgerInvoice:
        self._called("create_invoice")
        if self.refusing:
            raise InputError(self.refusing.pop(0))
        if self.late:
            self.late -= 1
            self.in_flight.append(lambda: self._create(draft, key))
            raise ProviderUnavailableError("no answer yet")
        made = self._create(draft, key)
        if self.lost_replies:
            self.lost_replies -= 1
            raise ProviderUnavailableError("done, but the answer was lost")
        return made

    def land(self) -> None:
        """What was on its way arrives; the ledger refuses what it has already."""
        waiting, self.in_flight = self.in_flight, []
        for request in waiting:
            try:
                request()
            except (AlreadyExistsError, InputError):
                continue

    def _create(self, draft: InvoiceDraft, key: str) -> LedgerInvoice:
        if self.idempotent and key in self._by_key:
            return self._rows[self._by_key[key]].invoice
        if self.unique and any(
            row.draft.external_id == draft.external_id or row.invoice.number == draft.number for row in self.rows()
        ):
            raise AlreadyExistsError("6140: the number is taken")
        tax, whole = self._figures(draft)
        made = LedgerInvoice(
            invoice_id=str(next(self._ids)),
            number=draft.number,
            version=0,
            customer_id=draft.customer_id,
            total=whole,
            tax=tax,
            balance=whole,
            status=InvoiceStatus.OPEN,
            updated_at=self._clock.now(),
            due_on=draft.due_on,
            external_id=draft.external_id,
        )
        self._rows[made.invoice_id] = Row(made, draft, key)
        self._by_key[key] = made.invoice_id
        self._tell(RecordKind.INVOICE, made.invoice_id, 0)
        return made

    def _figures(self, draft: InvoiceDraft) -> tuple[Money, Money]:
        """Its own tax on the lines it is told are taxed, the discount spread over all of them."""
        currency = draft.total.currency
        for line in draft.lines:
            if line.amount.currency != currency:
                raise InputError("A line has another currency than the invoice.")
        lines = total((line.amount for line in draft.lines), currency)
        taxed = total((line.amount for line in draft.lines if line.taxable), currency)
        net = lines - draft.discount
        base = Decimal(net.minor) * taxed.minor / lines.minor if lines.minor else Decimal(0)
        tax = Money(rounded(base * self.tax_percent / 100) + self.cents_off, currency)
        return tax, net + tax

    @reads
    def find_invoice(self, number: str, external_id: str) -> LedgerInvoice | None:
        self._called("find_invoice")
        rows = self.rows()
        ours = [row.invoice for row in rows if row.invoice.external_id == external_id]
        numbered = [row.invoice for row in rows if row.invoice.number == number]
        return next(iter([*ours, *numbered]), None)

    @reads
    def invoice(self, invoice_id: str) -> LedgerInvoice | None:
        self._called("invoice")
        row = self._rows.get(invoice_id)
        return row.invoice if row else None

    def restore_invoice(self, invoice_id: str, draft: InvoiceDraft) -> LedgerInvoice:
        self._called("restore_invoice")
        row = self._row(invoice_id)
        tax, whole = self._figures(draft)
        paid = row.invoice.total - row.invoice.balance
        restored = replace(
            row.invoice, number=draft.number, customer_id=draft.customer_id, total=whole, tax=tax, balance=whole - paid,
            due_on=draft.due_on,
        )  # fmt: skip
        row.draft = draft
        return self._update(restored)

    def void_invoice(self, invoice_id: str) -> LedgerInvoice:
        self._called("void_invoice")
        row = self._row(invoice_id)
        if row.invoice.status is InvoiceStatus.VOID:
            return row.invoice
        nothing = Money(0, row.invoice.total.currency)
        return self._update(
            replace(row.invoice, status=InvoiceStatus.VOID, total=nothing, tax=nothing, balance=nothing)
        )

    def send_invoice(self, invoice_id: str, email: str) -> LedgerInvoice:
        self._called("send_invoice")
        if self.mailing_refused:
            raise InputError(self.mailing_refused)
        self.sent.append((invoice_id, email))
        made = self._update(replace(self._row(invoice_id).invoice, emailed=self.shows_mailed))
        if self.lost_replies:
            self.lost_replies -= 1
            raise ProviderUnavailableError("sent, but the answer was lost")
        return made

    # --------------------------------------------------------------------------------------------- payments and changes

    @reads
    def payment(self, kind: PaymentKind, payment_id: str) -> LedgerPayment | None:
        self._called("payment")
        return self._payments.get((kind, payment_id))

    @reads
    def payments_of(self, invoice_id: str) -> Sequence[LedgerPayment]:
        self._called("payments_of")
        return [payment for payment in self._payments.values() if invoice_id in payment.applied]

    @reads
    def changes_since(self, since: datetime) -> ChangesPage:
        self._called("changes_since")
        newest = {(change.kind, change.id): change for change in self._changes if change.changed_at >= since}
        return ChangesPage(tuple(newest.values()), self._clock.now())

    # --------------------------------------------------------------------------------------------------- the bookkeeper

    def has_customer(self, name: str, *, customer_id: str = "", email: str = "") -> LedgerCustomer:
        made = LedgerCustomer(customer_id or f"c{next(self._ids)}", name, email, True, self._company.currency)
        self._customers[made.customer_id] = made
        return made

    def renames(self, customer_id: str, **fields: Any) -> None:
        """Somebody changes a customer there."""
        self._customers[customer_id] = replace(self._customers[customer_id], **fields)
        self._tell(RecordKind.CUSTOMER, customer_id, next(self._ids))

    def removes_customer(self, customer_id: str) -> None:
        del self._customers[customer_id]
        self._tell(RecordKind.CUSTOMER, customer_id, next(self._ids))

    def pays(self, invoice_id: str, minor: int, *, kind: PaymentKind = PaymentKind.PAYMENT) -> str:
        """Enter a payment or a credit memo for the invoice; returns its id."""
        invoice = self._row(invoice_id).invoice
        return self.enters(kind, minor, {invoice_id: minor}, invoice.customer_id, invoice.total.currency)

    def enters(
        self, kind: PaymentKind, minor: int, applied: dict[str, int], customer_id: str, currency: str = "USD"
    ) -> str:
        id_ = f"p{next(self._ids)}"
        self._put(
            LedgerPayment(
                payment_id=id_,
                kind=kind,
                version=0,
                customer_id=customer_id,
                amount=Money(minor, currency),
                applied=applied,
                paid_on=self._clock.now().date(),
                updated_at=self._clock.now(),
            ),
            {},
        )
        return id_

    def bounces(self, payment_id: str, *, kind: PaymentKind = PaymentKind.PAYMENT) -> None:
        """The payment is voided: it stays and applies nothing."""
        before = self._payments[kind, payment_id]
        self._put(replace(before, applied={}, voided=True, version=before.version + 1), before.applied)

    def unapplies(self, payment_id: str, *, to: dict[str, int] | None = None) -> None:
        """Taken off its invoices, and maybe put on others."""
        before = self._payments[PaymentKind.PAYMENT, payment_id]
        self._put(replace(before, applied=to or {}, version=before.version + 1), before.applied)

    def deletes_payment(self, payment_id: str) -> None:
        gone = self._payments.pop((PaymentKind.PAYMENT, payment_id))
        self._apply({}, gone.applied)
        self._tell(RecordKind.PAYMENT, payment_id, gone.version + 1)

    def edits(
        self,
        invoice_id: str,
        *,
        whole: Money | None = None,
        tax: Money | None = None,
        due_on: date | None = None,
    ) -> None:
        """Somebody changes the invoice there."""
        invoice = self._row(invoice_id).invoice
        after = replace(invoice, tax=tax or invoice.tax, due_on=due_on or invoice.due_on)
        if whole is not None:
            after = replace(after, total=whole, balance=whole - (invoice.total - invoice.balance))
        self._update(after)

    def deletes(self, invoice_id: str) -> None:
        gone = self._rows.pop(invoice_id).invoice
        self._tell(RecordKind.INVOICE, invoice_id, gone.version + 1)

    def forget_changes(self) -> None:
        """It does not tell of what changed so far, as NetSuite does not tell of what was deleted."""
        self._changes.clear()
        self.notices.clear()

    def applied_payments(self) -> list[str]:
        """Payments that are applied to something now."""
        return [id_ for (kind, id_), kept in self._payments.items() if kind is PaymentKind.PAYMENT and kept.applied]

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def invoices(self) -> list[LedgerInvoice]:
        """Every invoice there is."""
        return [row.invoice for row in self.rows()]

    # ----------------------------------------------------------------------------------------------------------- inside

    def _put(self, payment: LedgerPayment, before: Mapping[str, int]) -> None:
        self._payments[payment.kind, payment.payment_id] = replace(payment, updated_at=self._clock.now())
        self._apply(payment.applied, before)
        self._tell(KIND_OF[payment.kind], payment.payment_id, payment.version)

    def _apply(self, now: Mapping[str, int], earlier: Mapping[str, int]) -> None:
        for invoice_id in {**earlier, **now}:
            row = self._rows.get(invoice_id)
            if row is None:
                continue
            moved = now.get(invoice_id, 0) - earlier.get(invoice_id, 0)
            self._update(replace(row.invoice, balance=row.invoice.balance - Money(moved, row.invoice.total.currency)))

    def _update(self, invoice: LedgerInvoice) -> LedgerInvoice:
        status = invoice.status
        if status is not InvoiceStatus.VOID:
            status = InvoiceStatus.OPEN if invoice.balance == invoice.total else InvoiceStatus.PARTIALLY_PAID
            status = InvoiceStatus.PAID if invoice.balance.minor <= 0 else status
        made = replace(invoice, status=status, version=invoice.version + 1, updated_at=self._clock.now())
        self._rows[invoice.invoice_id].invoice = made
        self._tell(RecordKind.INVOICE, invoice.invoice_id, made.version)
        return made

    def _row(self, invoice_id: str) -> Row:
        if invoice_id not in self._rows:
            raise NotFoundError(f"invoice {invoice_id} is gone")
        return self._rows[invoice_id]

    def _tell(self, kind: RecordKind, id_: str, version: int) -> None:
        change = LedgerChange(
            kind=kind,
            id=id_,
            changed_at=self._clock.now(),
            company_id=self._company.company_id,
            event_id=f"{kind.value}-{id_}-{version}",
        )
        self.notices.append(change)
        self._changes.append(change)

    def _called(self, method: str) -> None:
        self.on_call(method)
        self.calls[method] += 1
        if self.shut_out is not None:
            raise self.shut_out
        if self.down:
            raise ProviderUnavailableError("the ledger is down")

"""An accounting system ("ledger" for short), in our words: customers, items, invoices and payments (Q8-Q14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.cash.money import Money
from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class LedgerCompany:
    """What the ledger's owner set. custom_numbers: whether our invoice numbers are kept as we give them.
    computes_tax: it applies its own rates, so totals can be compared only after creation. time_zone: IANA. country:
    two letters, where the ledger's tax model follows it; "" where it is not told. has_accounts: an income account is
    chosen here, and not taken from the item alone. access: how we are let in, where keys were entered for it: "way",
    and of the keys "user", "role" and "issued_on", as far as they were told; never a secret."""

    company_id: str
    name: str
    currency: str
    custom_numbers: bool
    computes_tax: bool
    time_zone: str
    country: str = ""
    has_accounts: bool = False
    access: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerCustomer:
    customer_id: str
    name: str
    email: str
    active: bool
    currency: str
    external_id: str | None = None
    phone: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """external_id: our id of the company or contact; where the ledger keeps such, it is an upsert by it."""

    external_id: str
    name: str
    email: str
    currency: str
    phone: str = ""
    subsidiary_id: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerChoice:
    """Something that is mapped by hand: an item, account, term, tax code, subsidiary or custom field of invoices. rate:
    percent, of a tax code; days: of a term; currency: of a subsidiary."""

    id: str
    name: str
    active: bool = True
    rate: Decimal | None = None
    days: int | None = None
    currency: str = ""


class ChoiceKind(StrEnum):
    ITEM = "item"
    ACCOUNT = "account"
    TERM = "term"
    TAX_CODE = "tax_code"
    SUBSIDIARY = "subsidiary"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """amount: after the line's discount, rounded by the rule; it is what counts. quantity x unit_price is what the
    reader sees, where a ledger that multiplies by itself comes to the same amount."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Money
    item_id: str
    tax_code_id: str | None = None
    taxable: bool = True


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """An invoice to be made. number: ours, at most 21 characters, made from the intent. discount: on the whole,
    before tax, positive. tax: as the quote has it. total: what must come out, to the cent."""

    number: str
    external_id: str
    customer_id: str
    lines: tuple[InvoiceLine, ...]
    discount: Money
    tax: Money
    total: Money
    issued_on: date
    due_on: date | None
    term_id: str | None = None
    tax_code_id: str | None = None
    income_account_id: str | None = None
    subsidiary_id: str | None = None
    memo: str = ""
    email: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class InvoiceStatus(StrEnum):
    """Of an invoice in the ledger. overdue is computed by us, from due date and balance."""

    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class LedgerInvoice:
    """version: grows with every change at the ledger (SyncToken, or the update time in microseconds); an older one is
    never believed over a newer one (I24)."""

    invoice_id: str
    number: str
    version: int
    customer_id: str
    total: Money
    tax: Money
    balance: Money
    status: InvoiceStatus
    updated_at: datetime
    due_on: date | None = None
    emailed: bool = False
    external_id: str | None = None


class PaymentKind(StrEnum):
    PAYMENT = "payment"
    CREDIT_MEMO = "credit_memo"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class LedgerPayment:
    """applied: what of it went to which invoice, in minor units of its currency. A payment that bounced, was voided or
    deleted applies nothing any more."""

    payment_id: str
    kind: PaymentKind
    version: int
    customer_id: str
    amount: Money
    applied: Mapping[str, int]
    paid_on: date
    updated_at: datetime
    voided: bool = False


class RecordKind(StrEnum):
    CUSTOMER = "customer"
    INVOICE = "invoice"
    PAYMENT = "payment"
    CREDIT_MEMO = "credit_memo"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """That a record changed, and which: never what it is now."""

    kind: RecordKind
    id: str
    changed_at: datetime
    deleted: bool = False
    company_id: str = ""
    event_id: str = ""

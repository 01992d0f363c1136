"""QuickBooks Online as `ports.Ledger`: one company."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.cash.accounting import (
    ChoiceKind,
    InvoiceDraft,
    LedgerChoice,
    LedgerCompany,
    LedgerCustomer,
    LedgerInvoice,
    LedgerPayment,
    NewCustomer,
    PaymentKind,
    RecordKind,
)
from shared.errors import ContendedError, InputError, NotFoundError, StaleWriteError
from shared.ports.cash import ChangesPage
from shared.ports.marks import reads
from shared.ports.time import Clock
from shared.providers.quickbooks.changes import ENTITIES, changes_since
from shared.providers.quickbooks.client import Json, QuickBooksHttp, entity_of, literal
from shared.providers.quickbooks.reading import (
    application_of,
    choice_from,
    custom_fields_from,
    customer_from,
    invoice_from,
    is_voided,
    payment_from,
    tax_code_from,
    term_from,
    text,
)
from shared.providers.quickbooks.writing import (
    TaxModel,
    customer_body,
    display_name,
    invoice_body,
    line_code,
    restoration_body,
)

REQUEST_ID_AT_MOST = 50

TIME_ZONES = {
    "US": "America/New_York",
    "CA": "America/Toronto",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "FR": "Europe/Paris",
    "AU": "Australia/Sydney",
    "IN": "Asia/Kolkata",
    "SG": "Asia/Singapore",
    "ZA": "Africa/Johannesburg",
}
"""Where most companies of a country are; QuickBooks rarely tells a company's own time zone."""


class QuickBooksLedger:
    """See `ports.Ledger`. Threads may share it."""

    def __init__(self, http: QuickBooksHttp, *, clock: Clock, company: LedgerCompany | None = None) -> None:
        """company: as `company` told it earlier, which saves two calls; read when first needed if left out."""
        self._http = http
        self._clock = clock
        self._company = company

    # -------------------------------------------------------------------------------------------- company and mapping

    @reads
    def company(self) -> LedgerCompany:
        """Two calls.

        Source: CompanyInfo {"CompanyName", "Country", "DefaultTimeZone"}; Preferences {"SalesFormsPrefs":
        {"CustomTxnNumbers"}, "TaxPrefs": {"UsingSalesTax", "PartnerTaxEnabled"} (the latter is automated sales tax),
        "CurrencyPrefs": {"HomeCurrency": {"value"}}}.
        """
        realm = self._http.realm_id
        about = entity_of(self._http.get(f"companyinfo/{realm}", purpose="company.read"), "CompanyInfo")
        settings = entity_of(self._http.get("preferences", purpose="preferences.read"), "Preferences")
        country = str(about.get("Country") or "")
        taxes = settings.get("TaxPrefs") or {}
        self._company = LedgerCompany(
            company_id=realm,
            name=str(about.get("CompanyName") or ""),
            currency=text((settings.get("CurrencyPrefs") or {}).get("HomeCurrency") or {}, "value"),
            custom_numbers=(settings.get("SalesFormsPrefs") or {}).get("CustomTxnNumbers") is True,
            # Every edition applies its own rates to our lines; only without sales tax there is nothing to compute.
            computes_tax=taxes.get("UsingSalesTax") is True or taxes.get("PartnerTaxEnabled") is True,
            time_zone=_time_zone(str(about.get("DefaultTimeZone") or ""), country),
            country=country,
            has_accounts=True,
        )
        return self._company

    @reads
    def customers(self) -> tuple[LedgerCustomer, ...]:
        found = self._http.select("Customer", "Active = true", purpose="customers.listed")
        return tuple(customer_from(body, self._home_currency(body)) for body in found)

    @reads
    def customer(self, customer_id: str) -> LedgerCustomer | None:
        """One that was deleted is inactive there, and still read."""
        body = self._read("Customer", customer_id)
        return customer_from(body, self._home_currency(body)) if body else None

    @reads
    def find_customer(self, name: str) -> LedgerCustomer | None:
        """By display name as QuickBooks compares it, without regard to capitals. A vendor or employee of that name is
        not found, and takes it all the same."""
        wanted = display_name(name)
        found = self._http.select("Customer", f"DisplayName = {literal(wanted)}", purpose="customer.searched")
        same = (body for body in found if str(body.get("DisplayName", "")).casefold() == wanted.casefold())
        body = next(same, None)
        return customer_from(body, self._home_currency(body)) if body else None

    def create_customer(self, customer: NewCustomer, key: str) -> LedgerCustomer:
        """QuickBooks keeps no external id: a customer is ours by the mapping stored with us.

        Raises: AlreadyExistsError (6240: names are shared by customers, vendors and employees), InputError.
        """
        content = customer_body(customer, self._known_company().currency)
        answer = self._http.post("customer", content, purpose="customer.created", requestid=_request_id(key))
        body = entity_of(answer, "Customer")
        return customer_from(body, self._home_currency(body))

    @reads
    def permissions(self) -> Mapping[str, bool]:
        """None to be tried: its one scope opens the whole company."""
        return {}

    @reads
    def choices(self, kind: ChoiceKind) -> tuple[LedgerChoice, ...]:
        """Items that can be sold, income accounts, terms, tax codes with their whole percentage, the custom
        fields of sales forms; no subsidiaries."""
        match kind:
            case ChoiceKind.ITEM:
                items = self._http.select("Item", "Active = true", purpose="items.listed")
                return tuple(choice_from(body) for body in items if body.get("Type") != "Category")
            case ChoiceKind.ACCOUNT:
                where = "AccountType = 'Income' and Active = true"
                return tuple(map(choice_from, self._http.select("Account", where, purpose="accounts.listed")))
            case ChoiceKind.TERM:
                return tuple(map(term_from, self._http.select("Term", "Active = true", purpose="terms.listed")))
            case ChoiceKind.TAX_CODE:
                return self._tax_codes()
            case ChoiceKind.FIELD:
                settings = entity_of(self._http.get("preferences", purpose="preferences.read"), "Preferences")
                return custom_fields_from(settings)
            case ChoiceKind.SUBSIDIARY:
                return ()

    @reads
    def record_fields(self, record_type: str) -> tuple[LedgerChoice, ...]:
        raise InputError(f"QuickBooks has no record types of one's own, so there is no {record_type}.")

    def write_record(self, record_type: str, external_id: str, fields: Mapping[str, str]) -> None:  # noqa: ARG002 - none
        raise InputError(f"QuickBooks has no record types of one's own, so there is no {record_type}.")

    def _tax_codes(self) -> tuple[LedgerChoice, ...]:
        rates = {
            text(body, "Id"): Decimal(body.get("RateValue") or 0)
            for body in self._http.select("TaxRate", "", purpose="tax_rates.listed")
        }
        return tuple(
            tax_code_from(body, rates) for body in self._http.select("TaxCode", "", purpose="tax_codes.listed")
        )

    # ------------------------------------------------------------------------------------------------------- invoices

    def create_invoice(self, draft: InvoiceDraft, key: str) -> LedgerInvoice:
        """Make it, unsent. The same key answers the first result; on doubt ask `find_invoice`.

        QuickBooks computes tax and total by itself: compare them with the draft's. It books each line to the account of
        its item, so `draft.income_account_id` is not sent.

        Raises: AlreadyExistsError (6140: our number is taken); InputError with QuickBooks' own words.
        """
        content = invoice_body(draft, self._tax_model(draft))
        answer = self._http.post("invoice", content, purpose="invoice.created", requestid=_request_id(key))
        return self._invoice(entity_of(answer, "Invoice"))

    @reads
    def find_invoice(self, number: str, external_id: str) -> LedgerInvoice | None:
        """By number. Where several have it, the one whose private note carries our reference, else the oldest: whether
        it is ours is for the caller to see, by `external_id`."""
        found = self._http.select("Invoice", f"DocNumber = {literal(number)}", purpose="invoice.searched")
        invoices = [self._invoice(body) for body in found]
        ours = [invoice for invoice in invoices if invoice.external_id == external_id]
        return next(iter([*ours, *invoices]), None)

    @reads
    def invoice(self, invoice_id: str) -> LedgerInvoice | None:
        body = self._read("Invoice", invoice_id)
        return self._invoice(body) if body else None

    def void_invoice(self, invoice_id: str) -> LedgerInvoice:
        """A void invoice stays and keeps its number, at 0.00. Voiding it again changes nothing.

        Raises: NotFoundError; ContendedError where it changes under our hands; InputError.
        """
        return self._change_invoice(invoice_id, lambda body: None if is_voided(body) else {}, "void", "invoice.voided")

    def restore_invoice(self, invoice_id: str, draft: InvoiceDraft) -> LedgerInvoice:
        """Customer, lines, discount and due date as the draft has them; everything else stays as it is there.

        Raises: NotFoundError; InputError for a voided invoice and for what QuickBooks refuses; ContendedError.
        """
        content = restoration_body(draft, self._tax_model(draft))

        def restored(body: Json) -> Json:
            if is_voided(body):
                raise InputError("The invoice was voided in QuickBooks; what is void cannot be written over.")
            return content

        return self._change_invoice(invoice_id, restored, "", "invoice.restored")

    def send_invoice(self, invoice_id: str, email: str) -> LedgerInvoice:
        """Raises: NotFoundError, InputError. A repeat mails it again."""
        answer = self._http.trigger(_path("invoice", invoice_id, "send"), purpose="invoice.sent", sendTo=email)
        return self._invoice(entity_of(answer, "Invoice"))

    def _change_invoice(
        self, invoice_id: str, change: Callable[[Json], Json | None], operation: str, purpose: str
    ) -> LedgerInvoice:
        """Read, change and write with the SyncToken read; once more where somebody wrote in between (5010)."""
        for _ in range(2):
            body = self._read("Invoice", invoice_id)
            if body is None:
                raise NotFoundError(f"quickbooks invoice {invoice_id} is gone")
            wanted = change(body)
            if wanted is None:
                return self._invoice(body)
            content = {**wanted, "Id": text(body, "Id"), "SyncToken": text(body, "SyncToken")}
            query = {"operation": operation} if operation else {}
            try:
                answer = self._http.post("invoice", content, purpose=purpose, **query)
            except StaleWriteError:
                continue
            return self._invoice(entity_of(answer, "Invoice"))
        raise ContendedError(f"quickbooks invoice {invoice_id} is being changed by others")

    def _tax_model(self, draft: InvoiceDraft) -> TaxModel:
        company = self._known_company()
        model = TaxModel(us=company.country in {"US", ""})
        uncoded = [line for line in draft.lines if not line.taxable and line_code(line, draft, model) is None]
        if not uncoded or not company.computes_tax:
            return model
        codes = [code for code in self._tax_codes() if code.active and code.rate == 0]
        if len(codes) != 1:
            names = ", ".join(code.name for code in codes) or "none"
            raise InputError(
                f"The line '{uncoded[0].description}' is not taxed, and QuickBooks has not exactly one tax code of 0 % "
                f"({names}). Map a tax code to its product."
            )
        return TaxModel(us=False, untaxed_code=codes[0].id)

    # ------------------------------------------------------------------------------------------------------- payments

    @reads
    def payment(self, kind: PaymentKind, payment_id: str) -> LedgerPayment | None:
        """See `ports.Ledger`. A refund receipt stands for itself: QuickBooks applies it to no invoice."""
        body = self._read(ENTITIES[RecordKind(kind.value)], payment_id)
        if body is None:
            return None
        match kind:
            case PaymentKind.PAYMENT:
                return self._payment(body)
            case PaymentKind.CREDIT_MEMO:
                return self._credit_memo(body, self._payments_with(body))
            case PaymentKind.REFUND:
                return payment_from(body, self._home_currency(body), kind, {})

    @reads
    def payments_of(self, invoice_id: str) -> Sequence[LedgerPayment]:
        """Payments, and credit memos that were applied through them. Empty for an invoice that is gone."""
        invoice = self._read("Invoice", invoice_id)
        links = (invoice or {}).get("LinkedTxn") or []
        ids = sorted({text(link, "TxnId") for link in links if link.get("TxnType") == "Payment"})
        bodies = self._by_ids("Payment", ids, purpose="payments.listed")
        result = [payment for payment in map(self._payment, bodies) if payment.applied.get(invoice_id)]
        applications = [application_of(body, self._home_currency(body)) for body in bodies]
        memo_ids = sorted({memo for one in applications for memo, used in one.credits.items() if invoice_id in used})
        memos = self._by_ids("CreditMemo", memo_ids, purpose="credit_memos.listed")
        result.extend(self._credit_memo(memo, [*bodies, *self._payments_with(memo)]) for memo in memos)
        return result

    def _payment(self, body: Json) -> LedgerPayment:
        home = self._home_currency(body)
        return payment_from(body, home, PaymentKind.PAYMENT, application_of(body, home).cash)

    def _credit_memo(self, body: Json, payments: Sequence[Json]) -> LedgerPayment:
        """A credit memo does not name the invoices it went to; the payments that moved it do."""
        memo_id, applied = text(body, "Id"), dict[str, int]()
        for payment in {text(payment, "Id"): payment for payment in payments}.values():
            used = application_of(payment, self._home_currency(payment)).credits.get(memo_id, {})
            for invoice, minor in used.items():
                applied[invoice] = applied.get(invoice, 0) + minor
        return payment_from(body, self._home_currency(body), PaymentKind.CREDIT_MEMO, applied)

    def _payments_with(self, memo: Json) -> list[Json]:
        customer = text(memo.get("CustomerRef") or {}, "value")
        return self._http.select("Payment", f"CustomerRef = {literal(customer)}", purpose="payments.listed")

    # -------------------------------------------------------------------------------------------------------- changes

    @reads
    def changes_since(self, since: datetime) -> ChangesPage:
        """See `changes.changes_since`."""
        return changes_since(self._http, since, now=self._clock.now())

    # -------------------------------------------------------------------------------------------------------- reading

    def _read(self, entity: str, record_id: str) -> Json | None:
        """One object; None where it was deleted (610)."""
        purpose = f"{entity.lower()}.read"
        try:
            return entity_of(self._http.get(_path(entity.lower(), record_id), purpose=purpose), entity)
        except NotFoundError:
            return None

    def _by_ids(self, entity: str, ids: Sequence[str], *, purpose: str) -> list[Json]:
        if not ids:
            return []
        return self._http.select(entity, f"Id in ({', '.join(map(literal, ids))})", purpose=purpose)

    def _invoice(self, body: Json) -> LedgerInvoice:
        return invoice_from(body, self._home_currency(body))

    def _home_currency(self, body: Json) -> str:
        """Asked for only where an object does not name its currency."""
        return "" if (body.get("CurrencyRef") or {}).get("value") else self._known_company().currency

    def _known_company(self) -> LedgerCompany:
        return self._company or self.company()


def _time_zone(told: str, country: str) -> str:
    try:
        return ZoneInfo(told).key
    except (ZoneInfoNotFoundError, ValueError):
        return TIME_ZONES.get(country, "UTC")


def _request_id(key: str) -> str:
    """At most 50 characters; a longer key is hashed, so that it stays the same key."""
    return key if len(key) <= REQUEST_ID_AT_MOST else hashlib.sha256(key.encode()).hexdigest()[:REQUEST_ID_AT_MOST]


def _path(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts)

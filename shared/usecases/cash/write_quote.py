"""Write a quote, change it while nobody decided on it, renew it (Q1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from shared.domain.cash.money import Money
from shared.domain.cash.quote import DEFAULT_SCHEDULE, Instalment, Quote, QuoteLine, QuoteStatus
from shared.domain.ids import short_id
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import ForbiddenError, InputError
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.numbers import next_number
from shared.records.people import Contacts
from shared.records.store import TenantStore, guarded

PREFIX = "QT"


@dataclass(frozen=True, slots=True)
class QuoteDraft:
    """What a person writes into a quote; see `Quote`."""

    deal_id: str
    contact_id: str
    currency: str
    lines: tuple[QuoteLine, ...]
    tax_percent: Decimal = Decimal(0)
    discount_percent: Decimal | None = None
    discount_amount: Money | None = None
    schedule: tuple[Instalment, ...] = DEFAULT_SCHEDULE
    expires_on: date | None = None
    memo: str = ""
    sets_amount: bool = True
    renews: str | None = None


def create_quote(store: TenantStore, draft: QuoteDraft, *, key: str, user: User, clock: Clock, jitter: Jitter) -> Quote:
    """Make a draft with the next number. key: of the person's request; asking twice with one key makes one quote.

    What cannot be sent yet (no lines, say) can be written all the same; sending says what is missing.
    Raises: NotFoundError; ForbiddenError.
    """
    quote_id = short_id("q", draft.deal_id, key)

    def attempt() -> Quote:
        records = CashRecords(store)
        known = records.quotes.find(quote_id)
        if known is not None:
            return known.value
        require_deal(records, draft.deal_id, user)
        Contacts(store).get(draft.contact_id)
        number, taking = next_number(store, PREFIX)
        quote = _applied(Quote(quote_id, number, draft.deal_id, draft.contact_id, draft.currency, ()), draft)
        audit = Audit(store).recording(user.user_id, "quote.created", quote_id, clock.now())
        store.commit([records.quotes.creating(quote_id, quote), taking, audit])
        return quote

    return guarded(jitter, f"quote {quote_id}", attempt)


def change_quote(
    store: TenantStore, quote_id: str, draft: QuoteDraft, *, user: User, clock: Clock, jitter: Jitter
) -> Quote:
    """Replace what a draft says. A quote that went out is not changed: renew it, or write another one.

    Raises: NotFoundError; ForbiddenError; InputError.
    """

    def attempt() -> Quote:
        records = CashRecords(store)
        stored = records.quotes.get(quote_id)
        require_deal(records, stored.value.deal_id, user)
        if stored.value.status is not QuoteStatus.DRAFT:
            raise InputError(f"Quote {stored.value.number} was sent already; make a new quote to change it.")
        changed = _applied(stored.value, draft)
        audit = Audit(store).recording(user.user_id, "quote.changed", quote_id, clock.now())
        store.commit([records.quotes.updating(quote_id, changed, stored.version), audit])
        return changed

    return guarded(jitter, f"quote {quote_id}", attempt)


def require_deal(records: CashRecords, deal_id: str, user: User) -> None:
    """Raises: NotFoundError; ForbiddenError for a deal of somebody else."""
    deal = records.deals.get(deal_id).value
    if not user.viewer.may_see_records_of(deal.owner_id):
        raise ForbiddenError(f"user {user.user_id} may not work on deal {deal_id}")


def _applied(quote: Quote, draft: QuoteDraft) -> Quote:
    return replace(
        quote,
        contact_id=draft.contact_id,
        currency=draft.currency,
        lines=draft.lines,
        tax_percent=draft.tax_percent,
        discount_percent=draft.discount_percent,
        discount_amount=draft.discount_amount,
        schedule=draft.schedule,
        expires_on=draft.expires_on,
        memo=draft.memo,
        sets_amount=draft.sets_amount,
        renews=draft.renews,
    )

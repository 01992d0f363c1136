"""Write a quote, change it while nobody decided on it, renew it (Q1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from shared.domain.cash.money import Money
from shared.domain.cash.quote import DEFAULT_SCHEDULE, Instalment, Quote, QuoteLine, QuoteStatus, discount_share
from shared.domain.ids import short_id
from shared.domain.people import Role, User
from shared.domain.values import dataclass
from shared.errors import ForbiddenError, InputError, NotFoundError
from shared.ports.documents import Write
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.numbers import next_number
from shared.records.people import Contacts
from shared.records.store import TenantStore, guarded
from shared.records.todos import Todos

PREFIX = "QT"
APPROVERS = frozenset({Role.MANAGER, Role.EXECUTIVE, Role.ADMIN})


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
        require_deal(records, draft.deal_id, user)
        known = records.quotes.find(quote_id)
        if known is not None:
            return known.value
        _require_contact(records, draft.deal_id, draft.contact_id, user)
        number, taking = next_number(store, PREFIX)
        written = _applied(Quote(quote_id, number, draft.deal_id, draft.contact_id, draft.currency, ()), draft)
        quote, asking = _weighed(records, written, clock)
        audit = Audit(store).recording(user.user_id, "quote.created", quote_id, clock.now())
        store.commit([records.quotes.creating(quote_id, quote), taking, audit, *asking])
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
        if stored.value.status not in (QuoteStatus.DRAFT, QuoteStatus.APPROVAL_REQUIRED):
            raise InputError(f"Quote {stored.value.number} was sent already; make a new quote to change it.")
        if draft.contact_id != stored.value.contact_id:
            _require_contact(records, stored.value.deal_id, draft.contact_id, user)
        changed, asking = _weighed(records, _applied(stored.value, draft), clock)
        audit = Audit(store).recording(user.user_id, "quote.changed", quote_id, clock.now())
        store.commit([records.quotes.updating(quote_id, changed, stored.version), audit, *asking])
        return changed

    return guarded(jitter, f"quote {quote_id}", attempt)


def approve_quote(store: TenantStore, quote_id: str, *, user: User, clock: Clock, jitter: Jitter) -> Quote:
    """Let a quote go out with the discount it has, or with any smaller one. Approving twice is approving once.

    Raises: NotFoundError; ForbiddenError for whoever is no manager of the deal's owner, and for the owner; InputError
    for a quote that waits for no approval.
    """

    def attempt() -> Quote:
        records = CashRecords(store)
        stored = records.quotes.get(quote_id)
        quote, owner_id = stored.value, records.deals.get(stored.value.deal_id).value.owner_id
        if user.role not in APPROVERS or user.user_id == owner_id or not user.viewer.may_see_records_of(owner_id):
            raise ForbiddenError(f"user {user.user_id} may not approve discounts of user {owner_id}")
        if quote.status is QuoteStatus.DRAFT and quote.approved_by is not None:
            return quote
        if quote.status is not QuoteStatus.APPROVAL_REQUIRED:
            raise InputError(f"Quote {quote.number} waits for no approval.")
        share, now = discount_share(quote), clock.now()
        approved = replace(quote, status=QuoteStatus.DRAFT, approved_percent=share, approved_by=user.user_id)
        sentence = f"The discount of quote {quote.number} was approved; it can be sent."
        told = {"percent": f"{share:.2f}"}
        store.commit(
            [
                records.quotes.updating(quote_id, approved, stored.version),
                Audit(store).recording(user.user_id, "quote.discount_approved", quote_id, now, after=told),
                Todos(store).asking(owner_id, quote.deal_id, sentence, now, new=("approved", quote_id, str(share))),
            ]
        )
        return approved

    return guarded(jitter, f"quote {quote_id}", attempt)


def _weighed(records: CashRecords, quote: Quote, clock: Clock) -> tuple[Quote, list[Write]]:
    """The quote with the status its discount gives it, and its owner's task where a manager has to look at it first."""
    deal = records.deals.get(quote.deal_id).value
    pipeline = records.pipelines.find(deal.pipeline_id)
    limit = pipeline.value.discount_limit if pipeline else None
    try:
        share = discount_share(quote)
    except InputError:  # it mixes currencies, which sending it says
        share = Decimal(0)
    if limit is None or share <= max(limit, quote.approved_percent or limit):
        return replace(quote, status=QuoteStatus.DRAFT), []
    sentence = (
        f"Quote {quote.number} takes {share:.2f} % off and needs the approval of a manager before it can be sent."
    )
    new = ("approval", quote.quote_id, str(share))
    asking = Todos(records.store).asking(deal.owner_id, quote.deal_id, sentence, clock.now(), new=new)
    return replace(quote, status=QuoteStatus.APPROVAL_REQUIRED), [asking]


def require_deal(records: CashRecords, deal_id: str, user: User) -> None:
    """Raises: NotFoundError; ForbiddenError for a deal of somebody else."""
    deal = records.deals.get(deal_id).value
    if not user.viewer.may_see_records_of(deal.owner_id):
        raise ForbiddenError(f"user {user.user_id} may not work on deal {deal_id}")


def _require_contact(records: CashRecords, deal_id: str, contact_id: str, user: User) -> None:
    """A quote tells its contact's name, so it is one of the deal's own or one that its writer may see.

    Raises: NotFoundError, also for a contact of somebody else: its existence is not told.
    """
    contact = Contacts(records.store).get(contact_id).contact
    deal = records.deals.get(deal_id).value
    of_the_deal = any(person.contact_id == contact_id for person in deal.contacts)
    if not (of_the_deal or user.viewer.may_see_records_of(contact.owner_id)):
        raise NotFoundError(f"contact {contact_id} does not exist")


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

"""The ledger's customer for one of our companies or contacts: as mapped, or made there when that is wanted (Q8)."""

from __future__ import annotations

from shared import log
from shared.domain.cash.accounting import LedgerCustomer, NewCustomer, RecordKind
from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.cash.mapping import CustomerMatch, MatchState
from shared.domain.ids import digest
from shared.errors import AlreadyExistsError, InputError
from shared.ports.cash import Ledger
from shared.ports.documents import ID, Document, Query
from shared.ports.time import Jitter
from shared.records.ledgers import customer_matches
from shared.records.people import COMPANY, Companies, Contacts
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.sync_customer import known_of, ours_of

MADE_AT_ONCE = 100
PAGE = 200
NOT_MAPPED = "This customer is not mapped in the ledger yet; map it on the mapping page."


def ensure_customer(store: TenantStore, settings: LedgerSettings, key: str, *, ledger: Ledger, jitter: Jitter) -> str:
    """The ledger's id of the customer. Raises: InputError where nobody mapped it and nobody wants it made."""
    known = customer_matches(store, settings.connection_id).find(key)
    if known is not None and (customer_id := known.value.mapped):
        return customer_id
    if known is not None and known.value.being_made:
        return create_customer(store, settings, key, ledger=ledger, jitter=jitter)
    if known is not None or not settings.creates_customers or not settings.goes(RecordKind.CUSTOMER):
        raise InputError(NOT_MAPPED)
    return create_customer(store, settings, key, ledger=ledger, jitter=jitter)


def create_customer(store: TenantStore, settings: LedgerSettings, key: str, *, ledger: Ledger, jitter: Jitter) -> str:
    """Make our company or contact a customer there and remember which; returns its id. Safe to repeat.

    A name that is taken there by a customer without our reference is not adopted: two companies may share a name.
    Raises: InputError with what to do.
    """
    wanted = _new_customer(store, settings, key)
    made = _made(ledger, wanted, settings)

    def attempt() -> str:
        matches = customer_matches(store, settings.connection_id)
        before = matches.find(key)
        if before is not None and before.value.mapped:
            return before.value.mapped
        ours = ours_of(store, key)
        match = CustomerMatch(key, MatchState.CREATED, made.customer_id, theirs=known_of(made, ours), ours=ours)
        store.commit([matches.updating(key, match, before.version) if before else matches.creating(key, match)])
        log.event("ledger_customer.created", tenant=store.tenant, connection=settings.connection_id, customer=key)
        return made.customer_id

    return guarded(jitter, f"customer {key}", attempt)


def create_missing_customers(store: TenantStore, settings: LedgerSettings, *, ledger: Ledger, jitter: Jitter) -> int:
    """Make every company of ours a customer there that nobody decided about, a hundred at a time; returns how many.

    Only where that is wanted, and after the mapping was reviewed once. A name that is there already is left to a
    person: it may be the same company. Safe to repeat.
    """
    if not settings.creates_always or settings.reviewed_at is None or not settings.goes(RecordKind.CUSTOMER):
        return 0
    matches, made, after = customer_matches(store, settings.connection_id), 0, None
    while made < MADE_AT_ONCE and (found := store.find(_page_of_companies(after))):
        for document in found:
            known = matches.find(document.id)
            if made == MADE_AT_ONCE or (known is not None and not known.value.being_made):
                continue
            if known is None and not _claimed(store, settings, document, ledger):
                continue
            try:
                create_customer(store, settings, document.id, ledger=ledger, jitter=jitter)
            except InputError:  # taken by a vendor or an employee there
                continue
            made += 1
        after = found[-1].path
    return made


def _claimed(store: TenantStore, settings: LedgerSettings, company: Document, ledger: Ledger) -> bool:
    """Write down that it is being made, unless its name is there already or somebody else decided just now."""
    if ledger.find_customer(COMPANY.value(company.fields).name) is not None:
        return False
    claim = CustomerMatch(company.id, MatchState.CREATED, None)
    try:
        store.commit([customer_matches(store, settings.connection_id).creating(company.id, claim)])
    except AlreadyExistsError:
        return False
    return True


def _page_of_companies(after: str | None) -> Query:
    return Query("companies", order_by=(ID,), limit=PAGE, start_after=(after,) if after else None)


def _made(ledger: Ledger, wanted: NewCustomer, settings: LedgerSettings) -> LedgerCustomer:
    try:
        return ledger.create_customer(wanted, digest("ledger-customer", settings.connection_id, wanted.external_id))
    except AlreadyExistsError:
        found = ledger.find_customer(wanted.name)
        if found is not None and found.external_id == wanted.external_id:
            return found
        raise InputError(
            f"{settings.company.name} has the name '{wanted.name}' already; choose that customer on the mapping page, "
            "or give ours another name."
        ) from None


def _new_customer(store: TenantStore, settings: LedgerSettings, key: str) -> NewCustomer:
    company = Companies(store).find(key)
    contact = None if company else next(iter(Contacts(store).get_all([key])), None)
    if company is None and contact is None:
        raise InputError("This company or contact does not exist any more, so it cannot be a customer.")
    person = contact.contact if contact else None
    return NewCustomer(
        external_id=key,
        name=company.name if company else person.name if person else "",
        email=person.emails[0] if person and person.emails else "",
        currency=settings.company.currency,
        phone=person.phones[0].typed if person and person.phones else "",
        subsidiary_id=settings.subsidiary_id,
    )

"""A customer changed in the ledger: what changed comes back to our company or contact, field by field (Q8).

Nothing is ever written back to the ledger from here, so two sides cannot answer each other without end (I20).
"""

from __future__ import annotations

from dataclasses import replace

from shared import log
from shared.domain.cash.accounting import LedgerCustomer
from shared.domain.cash.mapping import CustomerField, CustomerMatch, Fields, MatchState, compared
from shared.domain.mail.addresses import normalize
from shared.domain.people import Contact, Phone
from shared.errors import InputError
from shared.ports.cash import Ledger
from shared.ports.documents import Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.ledgers import customer_matches
from shared.records.people import Companies, Contacts
from shared.records.store import TenantStore, guarded

SYSTEM = "system"
NO_CHANGES: Fields = {}
SHORTEST_E164, LONGEST_E164 = 8, 15


def sync_customer(
    store: TenantStore,
    connection_id: str,
    customer_id: str,
    *,
    ledger: Ledger,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Bring every company and contact that is this customer up to date. Safe to repeat, in any order.

    One that was deleted, merged away or made inactive there is mapped no longer; mapping it anew is a person's.
    Raises: what the ledger raises.
    """
    matches = customer_matches(store, connection_id)
    keys = [kept.value.key for kept in matches.where((("customer_id", "==", customer_id),))]
    for key in keys:
        _sync_match(store, connection_id, key, ledger=ledger, tasks=tasks, clock=clock, jitter=jitter)


def theirs_of(customer: LedgerCustomer) -> Fields:
    """The ledger's side, as it is compared."""
    return {
        CustomerField.NAME: customer.name,
        CustomerField.FIRST_NAME: customer.first_name,
        CustomerField.LAST_NAME: customer.last_name,
        CustomerField.EMAIL: normalize(customer.email) if customer.email else "",
        CustomerField.PHONE: customer.phone,
    }


def known_of(customer: LedgerCustomer, ours: Fields) -> Fields:
    """What of the ledger's side is remembered: the fields that we have too."""
    return {name: text for name, text in theirs_of(customer).items() if name in ours}


def ours_of(store: TenantStore, key: str) -> Fields:
    """Our side: of a company its name, of a contact what it has; nothing for what is not there any more."""
    company = Companies(store).find(key)
    if company is not None:
        return {CustomerField.NAME: company.name}
    contact = _contact(store, key)
    if contact is None:
        return {}
    return {
        CustomerField.FIRST_NAME: contact.first_name,
        CustomerField.LAST_NAME: contact.last_name,
        CustomerField.EMAIL: contact.emails[0] if contact.emails else "",
        CustomerField.PHONE: contact.phones[0].typed if contact.phones else "",
    }


def settle_conflict(
    store: TenantStore,
    connection_id: str,
    key: str,
    field: CustomerField,
    *,
    take_theirs: bool,
    actor: str,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> CustomerMatch:
    """Decide a field that both sides changed. Ours stays on our side and theirs on theirs, unless theirs is taken.

    Raises: NotFoundError; InputError where there is no such conflict, or the ledger's text cannot be ours.
    """
    matches = customer_matches(store, connection_id)
    told = matches.get(key).value.conflicts.get(field)
    if told is None:
        raise InputError("Both sides agree on this field; there is nothing to decide.")
    if take_theirs:
        _write_contact(store, key, {field: told}, actor, tasks=tasks, clock=clock, jitter=jitter)

    def attempt() -> CustomerMatch:
        stored = matches.get(key)
        conflicts = {name: text for name, text in stored.value.conflicts.items() if name != field}
        settled = replace(stored.value, conflicts=conflicts)
        writes: list[Write] = []
        if take_theirs:
            settled = replace(settled, ours={**settled.ours, field: told})
            writes += _company_writes(store, key, {field: told})
        audit = Audit(store).recording(
            actor, "ledger_customer.settled", key, clock.now(), after={field: "theirs" if take_theirs else "ours"}
        )
        store.commit([matches.updating(key, settled, stored.version), *writes, audit])
        return settled

    return guarded(jitter, f"customer {key}", attempt)


def _sync_match(
    store: TenantStore, connection_id: str, key: str, *, ledger: Ledger, tasks: Tasks, clock: Clock, jitter: Jitter
) -> None:
    """A contact is written before the match: a crash in between finds both sides agreeing."""
    matches = customer_matches(store, connection_id)

    def attempt() -> None:
        stored = matches.find(key)
        if stored is None or stored.value.customer_id is None or stored.value.state is MatchState.REJECTED:
            return
        found = ledger.customer(stored.value.customer_id)
        ours = ours_of(store, key)
        if found is None or not found.active:
            after, changes = replace(stored.value, gone=True), NO_CHANGES
        else:
            after, changes = compared(stored.value, ours, theirs_of(found))
        if after == stored.value:
            return
        if changes:
            _write_contact(store, key, changes, SYSTEM, tasks=tasks, clock=clock, jitter=jitter)
        writes: list[Write] = [matches.updating(key, after, stored.version), *_company_writes(store, key, changes)]
        if changes or after.gone != stored.value.gone:
            writes.append(_told(store, key, ours, changes, after, clock))
        store.commit(writes)
        log.event(
            "ledger_customer.read",
            tenant=store.tenant,
            connection=connection_id,
            customer=key,
            fields=" ".join(sorted(changes)),
            conflicts=" ".join(sorted(after.conflicts)),
            gone=after.gone,
        )

    guarded(jitter, f"customer {key}", attempt)


def _told(store: TenantStore, key: str, ours: Fields, changes: Fields, after: CustomerMatch, clock: Clock) -> Write:
    """Which fields came from the ledger; addresses and numbers themselves stay out of the audit."""
    if after.gone:
        return Audit(store).recording(SYSTEM, "ledger_customer.gone", key, clock.now())
    name = changes.get(CustomerField.NAME)
    return Audit(store).recording(
        SYSTEM,
        "ledger_customer.changed",
        key,
        clock.now(),
        before={CustomerField.NAME: ours[CustomerField.NAME]} if name else {},
        after={**dict.fromkeys(changes, "as in the ledger"), **({CustomerField.NAME: name} if name else {})},
    )


def _company_writes(store: TenantStore, key: str, changes: Fields) -> list[Write]:
    """Part of the commit that remembers what was compared."""
    companies = Companies(store)
    stored = companies.stored(key)
    name = changes.get(CustomerField.NAME)
    if stored is None or not name:
        return []
    return [companies.updating(replace(stored.value, name=name), stored.version)]


def _write_contact(
    store: TenantStore, key: str, changes: Fields, actor: str, *, tasks: Tasks, clock: Clock, jitter: Jitter
) -> None:
    """A contact's addresses decide which mail is theirs, so they are saved as when a person does it (R7)."""
    contact = None if Companies(store).find(key) else _contact(store, key)
    if contact is None:
        return
    from shared.usecases.save_contact import save_contact

    save_contact(store, _changed(contact, changes), actor=actor, tasks=tasks, clock=clock, jitter=jitter)


def _changed(contact: Contact, changes: Fields) -> Contact:
    """A new address or number comes first; those there were stay, for there is mail with them."""
    email, phone = changes.get(CustomerField.EMAIL, ""), changes.get(CustomerField.PHONE, "")
    emails = (email, *(kept for kept in contact.emails if kept != email)) if email else contact.emails
    phones = (_phone(phone), *(kept for kept in contact.phones if kept.typed != phone)) if phone else contact.phones
    return replace(
        contact,
        first_name=changes.get(CustomerField.FIRST_NAME) or contact.first_name,
        last_name=changes.get(CustomerField.LAST_NAME) or contact.last_name,
        emails=emails,
        phones=phones,
    )


def _phone(typed: str) -> Phone:
    """Its E.164 form where it was typed with its country; others are left for whoever knows the country."""
    digits = "".join(character for character in typed if character.isdecimal())
    whole = typed.strip().startswith("+") and SHORTEST_E164 <= len(digits) <= LONGEST_E164
    return Phone(typed, f"+{digits}" if whole else None)


def _contact(store: TenantStore, key: str) -> Contact | None:
    found = Contacts(store).get_all([key])
    return found[0].contact if found else None

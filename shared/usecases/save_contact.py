"""Save a contact so that the mail already here finds it (R3, R7, I30).

The contact and its address rows are one commit, and with it goes the promise to look at stored mail and, where mail was
left out for want of a contact, to search the mailboxes for the new address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.domain.ids import digest
from shared.domain.mail.addresses import is_free_mail
from shared.domain.matching import Known
from shared.domain.message import participant_key
from shared.domain.outbox import Promise, promise
from shared.domain.people import Company, Contact
from shared.errors import InputError, NotFoundError
from shared.ports.documents import Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.addresses import Addresses
from shared.records.audit import Audit
from shared.records.followups import Outbox
from shared.records.organizations import Organizations
from shared.records.people import Companies, Contacts
from shared.records.store import TenantStore, guarded
from shared.usecases.promises import keep_promise_tasks


def save_contact(
    store: TenantStore, contact: Contact, *, actor: str, tasks: Tasks, clock: Clock, jitter: Jitter
) -> list[Promise]:
    """Create or change a contact; returns the follow-ups it promised (none where no address changed).

    Raises: InputError for a contact without a name or without any address and phone.
    """
    _require_complete(contact)
    index_key = Organizations(store).get().index_key
    addresses = Addresses(store, index_key)
    now = clock.now()

    def attempt() -> list[Promise]:
        contacts = Contacts(store)
        try:
            before = contacts.get(contact.contact_id)
        except NotFoundError:
            before = None
        old = known_of(before.contact) if before else ()
        new = known_of(contact)
        if before is not None and before.contact == contact:
            return []
        changed = {known.email for known in (*old, *new) if (known in old) != (known in new)}
        keys = sorted({participant_key(index_key, email) for email in changed})
        promises = [_reattaching(store, contact.contact_id, keys, clock)] if changed else []
        writes: list[Write] = [
            contacts.updating(contact, before.version) if before else contacts.creating(contact),
            *(addresses.removing(known) for known in old if known.email not in {kept.email for kept in new}),
            *(addresses.adding(known) for known in new),
            *(Outbox(store).creating(promised) for promised in promises),
            Audit(store).recording(actor, "contact.updated" if before else "contact.created", contact.contact_id, now),
        ]
        store.commit(writes)
        return promises

    promises = guarded(jitter, f"contact {contact.contact_id}", attempt)
    tasks.create(keep_promise_tasks(promises))
    return promises


def _require_complete(contact: Contact) -> None:
    if not contact.name:
        raise InputError("A contact needs a first and last name.")
    if not contact.emails and not contact.phones:
        raise InputError("A contact needs an email address or a phone number.")


def known_of(contact: Contact) -> tuple[Known, ...]:
    """A contact's addresses as the address rows hold them."""
    return tuple(
        Known(email, "contact", contact.contact_id, contact.owner_id, contact.company_ids) for email in contact.emails
    )


def _reattaching(store: TenantStore, contact_id: str, keys: Sequence[str], clock: Clock) -> Promise:
    """keys: of the addresses that came or went; tasks carry no addresses."""
    now = clock.now()
    ids = {"tenant": store.tenant, "contact": contact_id, "keys": " ".join(keys)}
    return promise("contact_reattach", ids, now, contact_id, digest(*keys), now.isoformat())


def save_company(
    store: TenantStore, company: Company, *, is_public_suffix: Callable[[str], bool], jitter: Jitter
) -> None:
    """Create a company with its domains; free-mail domains and public suffixes belong to no company (G9).

    Raises: InputError.
    """
    public = [domain for domain in company.domains if is_public_suffix(domain)]
    if public:
        raise InputError(f"Anybody can register a domain below {public[0]}: it belongs to no company.")
    free = [domain for domain in company.domains if is_free_mail(domain)]
    if free:
        raise InputError(f"{free[0]} is a free-mail domain: it belongs to no company.")
    addresses = Addresses(store, Organizations(store).get().index_key)

    def attempt() -> None:
        companies = Companies(store)
        if companies.find(company.company_id) is not None:
            return
        domains = [addresses.adding_company(domain, company.company_id) for domain in company.domains]
        store.commit([companies.creating(company), *domains])

    guarded(jitter, f"company {company.company_id}", attempt)

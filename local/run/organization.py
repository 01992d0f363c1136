"""The demo organization, written straight to the store: the product has no function yet that signs one up."""

from __future__ import annotations

import secrets

from local.run.material import Company, Person
from shared import wiring
from shared.domain.connection import connection_id
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Contact, User
from shared.domain.settings import Organization
from shared.ports.documents import Write
from shared.records.addresses import Addresses
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Users
from shared.records.store import TenantStore
from shared.usecases.save_contact import save_contact


def create_organization(store: TenantStore, company: Company) -> None:
    """Settings, users and their addresses; and each mailbox, not connected yet, with the options chosen for it."""
    organization = Organization(
        tenant=company.tenant,
        name=company.name,
        index_key=secrets.token_bytes(32),
        internal_domains=company.internal_domains,
        group_addresses=company.group_addresses,
        never_log=company.never_log,
    )
    store.commit([Organizations(store).creating(organization)])
    addresses = Addresses(store, organization.index_key)
    for person in company.people:
        store.commit(_with_mailbox(store, addresses, person))


def type_in_contact(store: TenantStore, contact: Contact, *, actor: str) -> None:
    """Save one contact the way its form would; there is no function for it yet."""
    save_contact(store, contact, actor=actor, tasks=wiring.tasks(), clock=wiring.clock(), jitter=wiring.jitter())


def user_writes(store: TenantStore, addresses: Addresses, user: User) -> list[Write]:
    """A user and their addresses."""
    return [
        Users(store).creating(user),
        *(addresses.adding(Known(address, "user", user.user_id)) for address in sorted(_own(user))),
    ]


def _with_mailbox(store: TenantStore, addresses: Addresses, person: Person) -> list[Write]:
    user = person.user
    mailbox = MailboxRecord(
        mailbox_id=mailbox_id(user.email),
        address=normalize(user.email),
        viewer=user.viewer,
        connection_id=connection_id("google", user.user_id),
        status=Status.DISCONNECTED,
        own=_own(user),
        options=person.options,
    )
    return [*user_writes(store, addresses, user), Mailboxes(store).creating(mailbox)]


def _own(user: User) -> frozenset[str]:
    return frozenset(untagged(normalize(address)) for address in (user.email, *user.aliases))

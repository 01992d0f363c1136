"""Everybody and everything a run talks to, once the cloud is up and the accounts are connected."""

from __future__ import annotations

from dataclasses import dataclass

from local.run.google import Google
from local.run.material import Company, Person
from local.run.product import Product
from local.run.rows import Rows
from shared.domain.mailbox import mailbox_id
from shared.domain.people import Contact
from shared.records.people import Companies


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the organization, signed in."""

    person: Person
    product: Product

    @property
    def user_id(self) -> str:
        return self.person.user.user_id

    @property
    def name(self) -> str:
        return self.person.user.name

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def email(self) -> str:
        return self.person.user.email

    @property
    def mailbox_id(self) -> str:
        return mailbox_id(self.email)


@dataclass(frozen=True, slots=True)
class Cast:
    """members: the first one is who looks around."""

    company: Company
    members: tuple[Member, ...]
    google: Google
    rows: Rows

    @property
    def reader(self) -> Member:
        return self.members[0]

    def company_of(self, contact: Contact) -> str:
        """The name of the contact's first company; empty if there is none."""
        found = Companies(self.rows.store).find(contact.company_ids[0]) if contact.company_ids else None
        return found.name if found else ""

    def by_email(self, email: str) -> Member:
        return next(member for member in self.members if member.email == email)

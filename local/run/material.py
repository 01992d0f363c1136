"""What a run is played with: people, their mail and calendars at Google, and the contacts they know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from local.run.google import Google
from shared.domain.people import Contact, User
from shared.domain.settings import MailOptions, NeverLog


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the organization who has a mailbox. options: chosen before the mailbox is connected."""

    user: User
    options: MailOptions = field(default_factory=MailOptions)


@dataclass(frozen=True, slots=True)
class Company:
    """The organization whose back end this is. people: the first one signs in and looks around."""

    tenant: str
    name: str
    people: tuple[Person, ...]
    internal_domains: frozenset[str]
    group_addresses: frozenset[str] = frozenset()
    never_log: NeverLog = field(default_factory=NeverLog)


@dataclass(frozen=True, slots=True)
class Filled:
    """What lies at Google now. left_out: a sentence for each thing that could not be put there."""

    mails: int
    events: int
    left_out: tuple[str, ...]


class Material(Protocol):
    """Either the sample or the reader's own export."""

    def fill(self, google: Google) -> Filled:
        """Open the accounts at Google and fill their mailboxes and calendars. Raises: MaterialError."""

    def company(self) -> Company:
        """Who is here; asked after `fill`, because options may depend on how old the mail is."""

    def contact_files(self) -> Iterable[bytes]:
        """CSV files for the product's import."""

    def typed_contacts(self) -> Iterable[Contact]:
        """Contacts that somebody typed in after the import."""

    def remark(self) -> str | None:
        """A sentence about the contacts that the reader should know."""


class MaterialError(Exception):
    """The material cannot be used; the message is one sentence for the person."""

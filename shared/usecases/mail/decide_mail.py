"""Decide what becomes of messages whose headers are known: the rules, over one read of everyone they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.domain.mail.addresses import domain_of, domains_up
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail_rules import Decision, Holder, Lookup, decide, participants
from shared.domain.mailbox import MailboxRecord
from shared.domain.settings import Organization
from shared.domain.values import dataclass
from shared.records.addresses import Addresses
from shared.records.mailboxes import mailbox_path, require_mailbox
from shared.records.organizations import PATH as ORGANIZATION_PATH
from shared.records.organizations import read_organization
from shared.records.store import TenantStore


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose rules apply: read anew for every piece of work, so that a list changed a second ago already holds."""

    mailbox: MailboxRecord
    organization: Organization

    @property
    def holder(self) -> Holder:
        return Holder(self.mailbox.viewer, self.mailbox.own, self.mailbox.options)


def open_desk(store: TenantStore, mailbox_id: str) -> Desk:
    """Raises: NotFoundError."""
    mailbox, organization = store.get_all([mailbox_path(mailbox_id), ORGANIZATION_PATH])
    return Desk(require_mailbox(mailbox, mailbox_id).value, read_organization(organization, store.tenant))


def look_up(store: TenantStore, desk: Desk, messages: Iterable[MailHeaders]) -> Lookup:
    """The address rows, and the companies where their domains count, of everyone the messages name."""
    addresses = Addresses(store, desk.organization.index_key)
    emails = [person.email for headers in messages for person in participants(headers).people]
    companies: Mapping[str, tuple[str, ...]] = {}
    if desk.organization.match_company_domains:
        companies = addresses.companies([above for email in emails for above in domains_up(domain_of(email))])
    return Lookup(rows=addresses.rows(emails), companies=companies)


def decide_all(store: TenantStore, desk: Desk, messages: Iterable[MailHeaders]) -> dict[str, Decision]:
    """The decision on each message, by Gmail id."""
    known = list(messages)
    lookup = look_up(store, desk, known)
    return {headers.gmail_id: decide(headers, desk.holder, desk.organization, lookup) for headers in known}

"""Whether a message is logged, decided from its headers before anything of it is stored (G9-G13, I11, I12, I29).

The rules are asked in the order of `ledger.Rule`; the first hit names the reason. Nothing here reads a body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from shared.domain.ledger import PRIVATE_RULES, SYSTEM_LABELS, Rule
from shared.domain.mail.addresses import Address, domain_of, domains_up, is_free_mail, normalize, untagged
from shared.domain.mail.envelope import MailHeaders
from shared.domain.matching import NOBODY, AddressRow, Known, contacts_of, is_user
from shared.domain.people import Viewer
from shared.domain.settings import MailOptions, NeverLog, Organization
from shared.domain.values import dataclass

PARTICIPANT_LIMIT = 200
"""The sender and this many distinct recipients are matched; the rest is known to be there and not looked up."""


class Direction(StrEnum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"


@dataclass(frozen=True, slots=True)
class Participants:
    """Everyone a message names, once each by normalized address, the sender first. people: those that are looked up."""

    everyone: tuple[Address, ...]

    @property
    def people(self) -> tuple[Address, ...]:
        return self.everyone[: PARTICIPANT_LIMIT + 1]

    @property
    def truncated(self) -> bool:
        return len(self.everyone) > PARTICIPANT_LIMIT + 1


def participants(headers: MailHeaders) -> Participants:
    found: dict[str, Address] = {}
    senders = [address for address in (headers.from_, headers.sender) if address]
    for address in (*senders, *headers.to, *headers.cc, *headers.bcc):
        found.setdefault(normalize(address.email), address)
    return Participants(tuple(found.values()))


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose mailbox the message is in. `own` are all addresses of that mailbox, normalized, without +tag."""

    viewer: Viewer
    own: frozenset[str]
    options: MailOptions

    def owns(self, address: Address) -> bool:
        return untagged(normalize(address.email)) in self.own


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is known of the participants: address rows by untagged address, companies by domain."""

    rows: Mapping[str, AddressRow]
    companies: Mapping[str, tuple[str, ...]]

    def of(self, address: Address) -> tuple[Known, ...]:
        return self.row(address).matches(address.email)

    def row(self, address: Address) -> AddressRow:
        return self.rows.get(untagged(normalize(address.email)), NOBODY)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """private: nobody but the mailbox's own user may learn that it is there: it came by Bcc, or their own list hit."""

    rule: Rule
    private: bool = False


@dataclass(frozen=True, slots=True)
class Logged:
    """Log it. direction: as the organization sees it, so outgoing also for a colleague's copy of a user's mail.
    contacts: the matched ones this holder may see, by id. company_ids: theirs, or those matched by domain."""

    direction: Direction
    contacts: Mapping[str, Known]
    company_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """Post it to the holder's own record only, where nobody else ever reads it (G12)."""

    direction: Direction


Decision = LeftOut | Logged | OwnRecord


def direction_of(headers: MailHeaders, holder: Holder) -> Direction:
    """The SENT label says it first; without it a message from one of the own addresses is outgoing (G10)."""
    if "SENT" in headers.label_ids:
        return Direction.OUTGOING
    if headers.from_ is not None and holder.owns(headers.from_):
        return Direction.OUTGOING
    return Direction.INCOMING


def got_by_bcc(headers: MailHeaders, holder: Holder, organization: Organization) -> bool:
    """Whether this copy came by Bcc. On doubt it did: a wrong no would betray its holder (I29)."""
    if direction_of(headers, holder) is Direction.OUTGOING or headers.list_id:
        return False
    named = (*headers.to, *headers.cc, *headers.resent_to, *headers.resent_cc)
    groups = organization.group_addresses
    return not any(holder.owns(address) or untagged(normalize(address.email)) in groups for address in named)


def decide(headers: MailHeaders, holder: Holder, organization: Organization, lookup: Lookup) -> Decision:
    """What becomes of this copy of the message."""
    decision = _decide(headers, holder, organization, lookup)
    if isinstance(decision, LeftOut):
        hidden = decision.rule in PRIVATE_RULES or got_by_bcc(headers, holder, organization)
        return replace(decision, private=hidden)
    return decision


def _decide(headers: MailHeaders, holder: Holder, organization: Organization, lookup: Lookup) -> Decision:
    named = participants(headers)
    everyone = named.everyone  # the lists and domains need no look-up, so nobody hides behind two hundred others
    for rule, hit in (
        (Rule.SYSTEM_LABEL, bool(headers.label_ids & SYSTEM_LABELS)),
        (Rule.ERASED, any(lookup.row(person).erased for person in named.people)),
        (Rule.PERSONAL_NEVER_LOG, listed(everyone, holder, holder.options.never_log)),
        (Rule.ORGANIZATION_NEVER_LOG, listed(everyone, holder, organization.never_log)),
        (Rule.INTERNAL, organization.leave_out_internal and internal_only(everyone, holder, organization, lookup)),
    ):
        if hit:
            return LeftOut(rule)
    direction = direction_of(headers, holder)
    if organization.leave_out_bulk and direction is Direction.INCOMING and headers.bulk:
        return LeftOut(Rule.BULK)
    if got_by_bcc(headers, holder, organization):
        return OwnRecord(direction) if holder.options.own_record else LeftOut(Rule.NO_MATCH)
    return _decide_by_contacts(headers, direction, holder, organization, lookup)


def _decide_by_contacts(
    headers: MailHeaders, direction: Direction, holder: Holder, organization: Organization, lookup: Lookup
) -> Decision:
    counted = _counted(headers, direction, organization)
    matched = contacts_of(known for person in counted for known in lookup.of(person))
    domains = _company_matches(counted, holder, lookup) if organization.match_company_domains else ()
    shown = Direction.OUTGOING if _sent_by_user(headers, lookup) else direction
    if matched or domains:
        if organization.leave_out_unknown_senders and not _sender_known(headers, direction, holder, lookup):
            return LeftOut(Rule.SENDER_UNKNOWN)
        if domains:  # company mode: mail goes to the company instead of the contact
            return Logged(shown, {}, domains)
        seen = {id_: known for id_, known in matched.items() if holder.viewer.may_see_records_of(known.owner_id)}
        if not seen:
            return LeftOut(Rule.NO_ACCESS)
        return Logged(shown, seen, _distinct(company for known in seen.values() for company in known.company_ids))
    if holder.options.own_record:
        return OwnRecord(direction)
    return Logged(shown, {}, ()) if organization.log_all_mail else LeftOut(Rule.NO_MATCH)


def _counted(headers: MailHeaders, direction: Direction, organization: Organization) -> tuple[Address, ...]:
    """The participants in the headers that count for this direction, within the limit."""
    names = organization.outgoing_headers if direction is Direction.OUTGOING else organization.incoming_headers
    by_name = {
        "from": (headers.from_,) if headers.from_ else (),
        "to": headers.to,
        "cc": headers.cc,
        "bcc": headers.bcc,
    }
    chosen = {normalize(address.email) for name in names for address in by_name[name]}
    return tuple(person for person in participants(headers).people if normalize(person.email) in chosen)


def _sender_known(headers: MailHeaders, direction: Direction, holder: Holder, lookup: Lookup) -> bool:
    if direction is Direction.OUTGOING:
        return True
    senders = [address for address in (headers.from_, headers.sender) if address]
    return any(holder.owns(sender) or lookup.of(sender) or _companies_of(sender, lookup) for sender in senders)


def _sent_by_user(headers: MailHeaders, lookup: Lookup) -> bool:
    return headers.from_ is not None and is_user(lookup.of(headers.from_))


def listed(people: Iterable[Address], holder: Holder, never_log: NeverLog) -> bool:
    """The holder's own addresses do not count: a list that names one's own domain would leave out everything."""
    for person in people:
        if holder.owns(person):
            continue
        domain = domain_of(person.email)
        if untagged(normalize(person.email)) in never_log.addresses or _within(domain, never_log.domains):
            return True
    return False


def _within(domain: str, domains: frozenset[str]) -> bool:
    """Whether the domain, or a domain above it, is in the list."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def internal_only(people: Sequence[Address], holder: Holder, organization: Organization, lookup: Lookup) -> bool:
    """Whether everyone is inside. A message that names nobody is nobody's, and so not internal."""

    def inside(person: Address) -> bool:
        domain = domain_of(person.email)
        if domain in organization.internal_domains and not is_free_mail(domain):
            return True
        return holder.owns(person) or is_user(lookup.of(person))

    return bool(people) and all(inside(person) for person in people)


def _company_matches(people: Iterable[Address], holder: Holder, lookup: Lookup) -> tuple[str, ...]:
    return _distinct(
        company for person in people if not holder.owns(person) for company in _companies_of(person, lookup)
    )


def _companies_of(person: Address, lookup: Lookup) -> tuple[str, ...]:
    """By its domain, or the nearest one above it that belongs to a company: mail.acme.com is Acme's."""
    domain = domain_of(person.email)
    if is_free_mail(domain):
        return ()
    return next((found for above in domains_up(domain) if (found := lookup.companies.get(above))), ())


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))

"""Make a contract from a quote: number, type, template, and who should sign (Q2, Q3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from shared.domain.cash.calendar_months import last_day
from shared.domain.cash.contract import FAILED, Contract, ContractStatus
from shared.domain.cash.contract_type import ContractType, RoleMapping, Side
from shared.domain.cash.deal import ContactRole, Deal, Step, chain_step
from shared.domain.cash.quote import Quote, QuoteStatus
from shared.domain.cash.signing import Signer
from shared.domain.ids import short_id
from shared.domain.people import Contact, User
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.numbers import next_number
from shared.records.people import Contacts, Users
from shared.records.signing import contract_types
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.write_quote import require_deal

PREFIX = "CT"
SIGNS_FIRST = (ContactRole.SIGNER, ContactRole.BUYER)
"""Which of a deal's contacts are proposed as signers, the best first."""


@dataclass(frozen=True, slots=True)
class ContractDraft:
    """What a person chose. template_id: None for the type's first, or its own text where it has none. signers: None for
    those that the deal proposes. starts_on: None for the day of the last signature."""

    quote_id: str
    type_id: str
    template_id: str | None = None
    signers: tuple[Signer, ...] | None = None
    starts_on: date | None = None


def create_contract(
    store: TenantStore, draft: ContractDraft, *, key: str, user: User, clock: Clock, jitter: Jitter
) -> Contract:
    """Make a draft with the next number. key: of the person's request; asking twice with one key makes one contract.

    Raises: NotFoundError; ForbiddenError; InputError for a quote that is not accepted, or has a contract under way.
    """
    contract_id = short_id("y", draft.quote_id, key)

    def attempt() -> Contract:
        records = CashRecords(store)
        quote = records.quotes.get(draft.quote_id).value
        require_deal(records, quote.deal_id, user)
        known = records.contracts.find(contract_id)
        if known is not None:
            return known.value
        _require_contractable(records, quote)
        deal = records.deals.get(quote.deal_id).value
        chosen = contract_types(store).get(draft.type_id).value
        number, taking = next_number(store, PREFIX)
        now = clock.now()
        contract = _contract(store, contract_id, number, quote, deal, chosen, _renewing(records, quote, draft))
        step = chain_step(
            deal.deal_id,
            Step.CONTRACT_PREPARED,
            now,
            cause=user.user_id,
            other_id=number,
            sentence=f"Contract {number} was made from quote {quote.number}.",
            new=(contract_id,),
        )
        audit = Audit(store).recording(user.user_id, "contract.created", contract_id, now)
        store.commit([records.contracts.creating(contract_id, contract), taking, records.stepping(step), audit])
        return contract

    return guarded(jitter, f"contract {contract_id}", attempt)


def change_signers(
    store: TenantStore, contract_id: str, signers: tuple[Signer, ...], *, user: User, clock: Clock, jitter: Jitter
) -> Contract:
    """Who signs a draft. One that is out is corrected instead. Raises: NotFoundError; ForbiddenError; InputError."""

    def attempt() -> Contract:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        require_deal(records, stored.value.deal_id, user)
        if stored.value.status is not ContractStatus.DRAFT or stored.value.sending_at is not None:
            raise InputError(f"Contract {stored.value.number} is out for signature; correct the signer instead.")
        changed = replace(stored.value, signers=signers)
        audit = Audit(store).recording(user.user_id, "contract.signers_changed", contract_id, clock.now())
        store.commit([records.contracts.updating(contract_id, changed, stored.version), audit])
        return changed

    return guarded(jitter, f"contract {contract_id}", attempt)


def proposed_signers(store: TenantStore, deal: Deal, quote: Quote, roles: Sequence[RoleMapping]) -> tuple[Signer, ...]:
    """A person for every role: the deal's signers, then its buyers, then the quote's contact; and our own users.

    A role nobody is left for stays open: its signer has no name, and sending says so.
    """
    candidates = [person.contact_id for wanted in SIGNS_FIRST for person in deal.contacts if person.role is wanted]
    ids = list(dict.fromkeys([*candidates, quote.contact_id]))
    known = {found.contact.contact_id: found.contact for found in Contacts(store).get_all(ids)}
    customers = [known[contact_id] for contact_id in ids if contact_id in known]
    signers = []
    for number, mapping in enumerate(sorted(roles, key=lambda role: role.order), start=1):
        if mapping.side is Side.US:
            name, email = _our_user(store, mapping.user_id or deal.owner_id)
        else:
            name, email = _person(customers.pop(0) if customers else None)
        signers.append(
            Signer(
                recipient_id=str(number),
                role=mapping.role,
                name=name,
                email=email,
                order=mapping.order,
                ours=mapping.side is Side.US,
                embedded=mapping.embedded,
            )
        )
    return tuple(signers)


def starting(contract: Contract, signed_on: date, months: int | None) -> Contract:
    """Its first and last day, once the first is known."""
    first = contract.starts_on or signed_on
    ends_on = contract.ends_on or (last_day(first, months) if months else None)
    return replace(contract, starts_on=first, ends_on=ends_on)


def _contract(
    store: TenantStore,
    contract_id: str,
    number: str,
    quote: Quote,
    deal: Deal,
    chosen: ContractType,
    draft: ContractDraft,
) -> Contract:
    template_id = draft.template_id or (chosen.templates[0].template_id if chosen.templates else None)
    if template_id is not None and chosen.template(template_id) is None:
        raise InputError(f"This template is not mapped to the contract type {chosen.name}; map it first.")
    contract = Contract(
        contract_id=contract_id,
        number=number,
        deal_id=deal.deal_id,
        contract_type=chosen.type_id,
        signers=draft.signers if draft.signers is not None else proposed_signers(store, deal, quote, chosen.roles),
        quote_id=quote.quote_id,
        template_id=template_id,
        schedule=quote.schedule,
        starts_on=draft.starts_on,
        terms="" if template_id else chosen.terms,
        renews=quote.renews,
    )
    return starting(contract, draft.starts_on, chosen.months) if draft.starts_on else contract


def _renewing(records: CashRecords, quote: Quote, draft: ContractDraft) -> ContractDraft:
    """A renewal begins the day after the contract it continues ends, and goes by the same template."""
    if quote.renews is None:
        return draft
    before = records.contracts.get(quote.renews).value
    same_type = before.contract_type == draft.type_id
    after_it = before.ends_on + timedelta(days=1) if before.ends_on else None
    template_id = draft.template_id or (before.template_id if same_type else None)
    return replace(draft, template_id=template_id, starts_on=draft.starts_on or after_it)


def _require_contractable(records: CashRecords, quote: Quote) -> None:
    if quote.status is not QuoteStatus.ACCEPTED:
        raise InputError(f"Quote {quote.number} is not accepted yet; make the contract once it is.")
    others = [stored.value for stored in records.contracts_of_deal(quote.deal_id)]
    live = [other for other in others if other.quote_id == quote.quote_id and other.status not in FAILED]
    if live:
        raise InputError(f"Quote {quote.number} has contract {live[0].number} already; void that one first.")


def _our_user(store: TenantStore, user_id: str) -> tuple[str, str]:
    user = Users(store).find(user_id)
    return (user.name, user.email) if user else ("", "")


def _person(contact: Contact | None) -> tuple[str, str]:
    if contact is None:
        return "", ""
    return contact.name, contact.emails[0] if contact.emails else ""

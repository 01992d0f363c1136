"""What a contract still needs before it can go out, and what it would be filled with (Q2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from shared.domain.cash.contract import Contract
from shared.domain.cash.contract_type import Readiness, fill, signer_problems, template_problems
from shared.domain.cash.quote import Quote, QuoteStatus
from shared.errors import NotFoundError
from shared.ports.cash import Signing
from shared.records.cash import CashRecords
from shared.records.people import Companies, Contacts
from shared.records.signing import contract_types
from shared.records.store import TenantStore


def review_contract(store: TenantStore, contract: Contract, *, signing: Signing) -> Readiness:
    """Everything that would stop it, said before anything is sent: signers, roles, fields, the template as it is now.

    Raises: what the signing service raises for now.
    """
    stored = contract_types(store).find(contract.contract_type)
    mapping = stored.value.template(contract.template_id) if stored else None
    filled = fill(mapping, contract_facts(store, contract))
    problems = [*signer_problems(contract), *_quote_problems(store, contract), *filled.problems]
    if contract.template_id is None:
        if not contract.terms:
            problems.append(f"Contract {contract.number} has neither a template nor text; choose one.")
    else:
        try:
            template = signing.template(contract.template_id)
            problems += template_problems(contract.signers, filled.prefill, template)
        except NotFoundError:
            problems.append("The template does not exist any more; choose another one and map its roles.")
    return Readiness(tuple(problems), filled.advice, filled.prefill)


def contract_facts(store: TenantStore, contract: Contract) -> Mapping[str, str]:
    """What can be filled in, as text. What is not known is empty."""
    stored = CashRecords(store).quotes.find(contract.quote_id) if contract.quote_id else None
    return {
        **deal_facts(store, contract.deal_id, stored.value if stored else None),
        "contract.number": contract.number,
        "contract.starts_on": _day(contract.starts_on),
        "contract.ends_on": _day(contract.ends_on),
    }


def deal_facts(store: TenantStore, deal_id: str, quote: Quote | None = None) -> Mapping[str, str]:
    """The part of them that is known without a contract."""
    deal = CashRecords(store).deals.get(deal_id).value
    contact_id = quote.contact_id if quote else next((person.contact_id for person in deal.contacts), None)
    found = Contacts(store).get_all([contact_id]) if contact_id else []
    contact = found[0].contact if found else None
    company_id = deal.company_id or (contact.company_ids[0] if contact and contact.company_ids else None)
    company = Companies(store).find(company_id) if company_id else None
    return {
        "contact.name": contact.name if contact else "",
        "contact.first_name": contact.first_name if contact else "",
        "contact.last_name": contact.last_name if contact else "",
        "contact.email": contact.emails[0] if contact and contact.emails else "",
        "contact.title": contact.title if contact else "",
        "company.name": company.name if company else "",
        "deal.name": deal.name,
        "deal.amount": str(deal.amount),
        "deal.close_on": _day(deal.close_on),
        "quote.number": quote.number if quote else "",
        "quote.total": str(quote.totals.total) if quote else "",
    }


def _quote_problems(store: TenantStore, contract: Contract) -> list[str]:
    if contract.quote_id is None:
        return []
    quote = CashRecords(store).quotes.get(contract.quote_id).value
    if quote.status is QuoteStatus.ACCEPTED:
        return []
    return [f"Quote {quote.number} is not accepted yet; the contract can go out once it is."]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""

"""An organization's kinds of contract: which template, who signs in which role, what is filled in (Q2, Q3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from shared.domain.cash.contract import Contract
from shared.domain.cash.signing import Signer, SigningTemplate
from shared.domain.values import dataclass


class Side(StrEnum):
    """Who takes a role: somebody of the deal, or one of our users."""

    CUSTOMER = "customer"
    US = "us"


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """A role of the template. order: 1 signs first. embedded: signs on our page. user_id: which of our users, where the
    side is ours; without one it is the deal's owner."""

    role: str
    side: Side
    order: int
    embedded: bool = False
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateMapping:
    """A template at the signing service. prefill: role -> data label -> name of one of our fields (`FIELDS`)."""

    template_id: str
    name: str
    prefill: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContractType:
    """MSA, NDA, SOW or the organization's own. templates: the first is the one proposed; without any, the document is
    generated from `terms`. months: how long it runs, None for without end."""

    type_id: str
    name: str
    roles: tuple[RoleMapping, ...]
    templates: tuple[TemplateMapping, ...] = ()
    terms: str = ""
    months: int | None = None

    def template(self, template_id: str | None) -> TemplateMapping | None:
        return next((kept for kept in self.templates if kept.template_id == template_id), None)


DEFAULT_ROLES = (RoleMapping("Customer", Side.CUSTOMER, 1), RoleMapping("Countersigner", Side.US, 2))

FIELDS = {
    "contact.name": "the contact's name",
    "contact.first_name": "the contact's first name",
    "contact.last_name": "the contact's last name",
    "contact.email": "the contact's email",
    "contact.title": "the contact's title",
    "company.name": "the company's name",
    "deal.name": "the deal's name",
    "deal.amount": "the deal's amount",
    "deal.close_on": "the deal's close date",
    "quote.number": "the quote's number",
    "quote.total": "the quote's total",
    "contract.number": "the contract's number",
    "contract.starts_on": "the contract's first day",
    "contract.ends_on": "the contract's last day",
}
"""What can be filled in, and how a person calls it."""

RECOMMENDED = frozenset({"contact.title", "company.name"})
"""A contract can go out without these; whoever sends it is told."""

Prefill = Mapping[str, Mapping[str, str]]
"""Role -> data label -> text."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """problems: what stops it, one sentence each. advice: what had better be there."""

    problems: tuple[str, ...]
    advice: tuple[str, ...]
    prefill: Prefill


def fill(mapping: TemplateMapping | None, facts: Mapping[str, str]) -> Readiness:
    """The template's fields from our facts, and what is missing for them."""
    problems: list[str] = []
    advice: list[str] = []
    prefill: dict[str, dict[str, str]] = {}
    for role, labels in (mapping.prefill if mapping else {}).items():
        for label, name in labels.items():
            if name not in FIELDS:
                problems.append(f"The field '{label}' is mapped to '{name}', which does not exist; map it anew.")
            elif text := facts.get(name, ""):
                prefill.setdefault(role, {})[label] = text
            else:
                missing = f"{FIELDS[name].capitalize()} is missing; the field '{label}' would stay empty."
                (advice if name in RECOMMENDED else problems).append(missing)
    return Readiness(tuple(problems), tuple(advice), prefill)


def signer_problems(contract: Contract) -> list[str]:
    """What is wrong with who signs."""
    problems = []
    if not contract.signers:
        problems.append(f"Contract {contract.number} has no signer; add at least one.")
    for signer in contract.signers:
        who = signer.name or signer.role or "A signer"
        if "@" not in signer.email:
            problems.append(f"{who} has no email address; add one to send the contract.")
        if not signer.name:
            problems.append(f"The signer {signer.email or signer.role} has no name; add one to send the contract.")
    roles = [signer.role for signer in contract.signers]
    if doubled := sorted({role for role in roles if roles.count(role) > 1}):
        problems.append(f"Two signers have the role '{doubled[0]}'; each needs one of its own.")
    return problems


def template_problems(signers: tuple[Signer, ...], prefill: Prefill, template: SigningTemplate) -> list[str]:
    """What changed in the template since it was mapped, or was never mapped."""
    roles = {signer.role for signer in signers}
    problems = [
        f"The template {template.name} has the role '{role}', and nobody is mapped to it."
        for role in template.roles
        if role not in roles
    ]
    problems += [
        f"The template {template.name} has no role '{role}' (any more); map the signer anew."
        for role in sorted(roles - set(template.roles))
    ]
    problems += [
        f"The template {template.name} has no field '{label}' for {role} (any more); map it anew."
        for role, fields in prefill.items()
        for label in fields
        if label not in template.fields.get(role, ())
    ]
    return problems

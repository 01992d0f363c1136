"""The people and companies on both sides, and who may see whose records (R2, R3)."""

from __future__ import annotations

from enum import StrEnum

from shared.domain.values import dataclass


class Role(StrEnum):
    SALES_REP = "sales_rep"
    MANAGER = "manager"
    EXECUTIVE = "executive"
    ADMIN = "admin"
    FINANCE = "finance"


SEES_ALL_RECORDS = frozenset({Role.EXECUTIVE, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking: `managed` are the users of the teams this one manages."""

    user_id: str
    role: Role
    managed: frozenset[str] = frozenset()

    def may_see_records_of(self, owner_id: str | None) -> bool:
        """A record nobody owns is everybody's: it waits for an owner, and hiding it would lose it."""
        if owner_id is None or owner_id == self.user_id or self.role in SEES_ALL_RECORDS:
            return True
        return self.role is Role.MANAGER and owner_id in self.managed


class ContactStatus(StrEnum):
    LEAD = "lead"
    PROSPECT = "prospect"
    CUSTOMER = "customer"
    CHURNED = "churned"


@dataclass(frozen=True, slots=True)
class Phone:
    """What was typed, and its E.164 form where it has one."""

    typed: str
    e164: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person outside. `emails` are normalized, the first one is preferred."""

    contact_id: str
    first_name: str
    last_name: str
    emails: tuple[str, ...] = ()
    phones: tuple[Phone, ...] = ()
    company_ids: tuple[str, ...] = ()
    owner_id: str | None = None
    status: ContactStatus = ContactStatus.LEAD
    title: str = ""
    contact_type: str = "contact"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Company:
    """`domains` are lower-case A-labels; mail of the whole domain matches where company matching is on."""

    company_id: str
    name: str
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A person inside. `aliases` are addresses an admin or the user named besides `email`."""

    user_id: str
    name: str
    email: str
    role: Role = Role.SALES_REP
    aliases: tuple[str, ...] = ()
    managed: frozenset[str] = frozenset()

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.user_id, self.role, self.managed)

"""Reads company.yaml: us, the others, and whose address is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from local.sample.model import Company, SampleUser
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.people import Contact, Role
from shared.domain.settings import MailOptions, NeverLog, Share

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever writes or is written to. address: with the name, as headers carry it. signature: one line or none."""

    address: str
    zone: ZoneInfo
    signature: str = ""

    @property
    def name(self) -> str:
        return parseaddr(self.address)[0] or self.email

    @property
    def email(self) -> str:
        return parseaddr(self.address)[1].lower()

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody by the short name that stories use. users: by short name, too."""

    company: Company
    users: Mapping[str, SampleUser]
    people: Mapping[str, Person]
    contacts_by_hand: tuple[Contact, ...]

    def person(self, name: str) -> Person:
        """Raises: ValueError for a name that company.yaml does not have."""
        if name not in self.people:
            raise ValueError(f"company.yaml knows nobody called {name}")
        return self.people[name]

    def emails(self, names: list[str]) -> tuple[str, ...]:
        return tuple(self.person(name).email for name in names)

    def user_behind(self, email: str) -> str | None:
        """The short name of the user whose address this is, tags aside."""
        wanted = untagged(normalize(email))
        return next((name for name, user in self.users.items() if wanted in user.addresses), None)


def read_cast(company: Row) -> Cast:
    users = {name: _user(name, row) for name, row in company["users"].items()}
    people = {
        name: Person(f"{row['name']} <{row['email']}>", ZoneInfo(row["zone"]), row["signature"])
        for name, row in company["users"].items()
    }
    people |= {
        name: Person(row["address"], ZoneInfo(row["zone"]), row.get("signature", ""))
        for name, row in company["people"].items()
    }
    settings = Company(
        name=company["name"],
        internal_domains=frozenset(company["internal_domains"]),
        group_addresses=frozenset(company["group_addresses"]),
        never_log=_never_log(company["never_log"]),
    )
    by_hand = tuple(
        Contact(row["id"], row["first_name"], row["last_name"], emails=tuple(row["emails"]), title=row["title"])
        for row in company["contacts_by_hand"]
    )
    return Cast(settings, users, people, by_hand)


def user_id(name: str) -> str:
    return f"u-{name}"


def _user(name: str, row: Row) -> SampleUser:
    options: Row = row["options"]
    return SampleUser(
        user_id=user_id(name),
        name=row["name"],
        email=row["email"],
        aliases=tuple(row["aliases"]),
        role=Role(row["role"]),
        manages=frozenset(user_id(managed) for managed in row.get("manages", ())),
        zone=row["zone"],
        options=MailOptions(
            share=Share(options.get("share", Share.FULL)),
            never_log=_never_log(options.get("never_log", {})),
            own_record=options.get("own_record", False),
        ),
    )


def _never_log(row: Row) -> NeverLog:
    return NeverLog(frozenset(row.get("addresses", ())), frozenset(row.get("domains", ())))

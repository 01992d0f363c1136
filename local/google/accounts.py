"""The people who have a Google account in this simulation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from local.google.errors import ApiError, ControlError, Json

_CONSUMER_DOMAINS = ("gmail.com", "googlemail.com")


@dataclass(slots=True)
class Alias:
    """A send-as address: verified ones have the status "accepted"."""

    email: str
    name: str = ""
    verification: str = "accepted"


@dataclass(slots=True)
class Account:
    """One person.

    Args:
        email: primary address, lower case.
        subject: Google's id of the account, the `sub` claim; it survives a change of address.
        hosted_domain: the `hd` claim of Workspace accounts; "" for consumer accounts.
        signature: HTML, as settings.sendAs tells it.
    """

    email: str
    name: str
    subject: str
    hosted_domain: str
    aliases: list[Alias] = field(default_factory=list)
    signature: str = ""


class Accounts:
    """All accounts, found by address (any letter case) or subject."""

    def __init__(self) -> None:
        self._by_email: dict[str, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._by_email.values()))

    def create(self, spec: Json) -> Account:
        """Add a person from {"email", "name"?, "aliases"?: [address or {email, name, verification}], "signature"?}.

        Raises:
            ControlError: the address is missing, malformed or taken.
        """
        email = str(spec.get("email", "")).lower()
        if email.count("@") != 1:
            raise ControlError("an account needs an email address")
        if self.find(email):
            raise ControlError(f"{email} has an account already")
        domain = email.split("@")[1]
        account = Account(
            email=email,
            name=spec.get("name") or email.split("@")[0],
            subject=spec.get("subject") or _subject(email),
            hosted_domain="" if domain in _CONSUMER_DOMAINS else domain,
            aliases=[
                Alias(alias.lower()) if isinstance(alias, str) else Alias(**alias) for alias in spec.get("aliases", ())
            ],
            signature=spec.get("signature", ""),
        )
        self._by_email[email] = account
        return account

    def find(self, hint: str | None) -> Account | None:
        """Return the account whose address or subject is `hint`."""
        if not hint:
            return None
        found = self._by_email.get(hint.lower())
        return found or next((account for account in self if account.subject == hint), None)

    def get(self, email: str) -> Account:
        """Return the account of `email`, which an API call acts for.

        Raises:
            ApiError: 400 failedPrecondition, there is no such account.
        """
        if account := self._by_email.get(email):
            return account
        raise ApiError(400, "failedPrecondition", "Mail service not enabled", status_name="FAILED_PRECONDITION")

    def clear(self) -> None:
        self._by_email.clear()

    def dump(self) -> list[Json]:
        return [asdict(account) for account in self]

    def load(self, saved: list[Json]) -> None:
        self.clear()
        for row in saved:
            account = Account(**{**row, "aliases": [Alias(**alias) for alias in row["aliases"]]})
            self._by_email[account.email] = account


def _subject(email: str) -> str:
    """Google's ids have 21 digits; one made from the address is the same in every run."""
    return "1" + str(int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20).zfill(20)

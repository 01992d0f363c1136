"""Which contacts and users an address belongs to: one row per address without its +tag, never a query (G9, I30)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from shared.domain.mail.addresses import normalize, untagged
from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """One address of one contact or user, as the address row remembers it. `owner_id` and `company_ids` are the
    contact's, so that a match needs no second read."""

    email: str
    kind: Literal["contact", "user"]
    id: str
    owner_id: str | None = None
    company_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressRow:
    """All who have an address that is the same without its +tag. `erased`: its person asked to be forgotten (D10)."""

    known: tuple[Known, ...] = ()
    erased: bool = False

    def matches(self, address: str) -> tuple[Known, ...]:
        """Who this very address belongs to.

        An exact holder wins over the holder of the untagged address, so that ann+a@ and ann+b@ on two contacts stay
        apart. An untagged address that nobody holds belongs to the holders of its tagged forms: it is the same
        mailbox. One address on two contacts belongs to both.
        """
        exact = normalize(address)
        bare = untagged(exact)
        for wanted in dict.fromkeys((exact, bare)):
            found = tuple(known for known in self.known if known.email == wanted)
            if found:
                return found
        return self.known if exact == bare else ()


NOBODY = AddressRow()


def contacts_of(matches: Iterable[Known]) -> dict[str, Known]:
    """The contacts among the matches by id, in the order met."""
    found: dict[str, Known] = {}
    for known in matches:
        if known.kind == "contact":
            found.setdefault(known.id, known)
    return found


def is_user(matches: Iterable[Known]) -> bool:
    return any(known.kind == "user" for known in matches)

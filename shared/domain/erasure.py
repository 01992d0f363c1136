"""A person asks to be forgotten: what counts as a trace of them, and what is left where it stood (R10, D10).

A person is known by the keyed hashes of their addresses, so a trace is found without keeping what is looked for. Two
more things are looked for while the contact is still here: the full name and the phones, and only in records that name
the person by address or id already, or belong to such a record. Anybody else may have the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.domain.ids import short_id
from shared.domain.mail.address_scanner import LONGEST_ADDRESS
from shared.domain.message import participant_key
from shared.domain.people import Contact
from shared.domain.values import dataclass

ERASED = "[erased]"
ERASED_ADDRESS = "erased@person.invalid"
"""Where an address has to stand; nobody can ever have it (RFC 2606)."""

ERASED_CONTACT = "erased"
"""Where a contact's id has to stand."""

SECOND_LOOK_AFTER = timedelta(minutes=15)
"""Work that was under way when it was erased has ended by then, or died."""

_AT = r"(?:@|%40|&#64;|&#x40;|&commat;)"
_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}?"
_LABEL = r"(?:[^\W_]|-)+"
_TOKEN = re.compile(rf"(?<![\w.+-])({_LOCAL})({_AT})({_LABEL}(?:\.{_LABEL})+)", re.IGNORECASE)
_HINTS = ("@", "%40", "&#64;", "&#x40;", "&commat;")
_BEFORE_LOCAL = re.compile(r"^|%[0-9A-Fa-f]{2}|[^\w.+-]")
_DECORATION = re.compile(r"[._-]*")

_BESIDE_ADDRESS = {"email": ("name", "ip", "reason"), "sender": ("sender_name",)}
"""Fields that tell of the same person as the address beside them."""


@dataclass(frozen=True, slots=True)
class Person:
    """keys: participant keys of the addresses that are this person's alone. words: full name and phones, empty once the
    contact is gone."""

    contact_id: str
    keys: frozenset[str]
    index_key: bytes = field(repr=False)
    words: tuple[str, ...] = field(default=(), repr=False)

    def has(self, address: str) -> bool:
        """Whether the whole text is one of the person's addresses, tagged or not."""
        return "@" in address and len(address) <= LONGEST_ADDRESS and self._key(address) in self.keys

    def _key(self, address: str) -> str:
        return participant_key(self.index_key, address)


def person_of(contact: Contact, own: frozenset[str], index_key: bytes) -> Person:
    """own: those of its addresses that nobody else has."""
    typed = [text for phone in contact.phones for text in (phone.typed, phone.e164) if text and len(text) > 5]
    full_name = [contact.name] if contact.first_name and contact.last_name else []
    keys = frozenset(participant_key(index_key, email) for email in own)
    return Person(contact.contact_id, keys, index_key, tuple(dict.fromkeys([*full_name, *typed])))


def without_addresses(text: str, person: Person) -> str:
    """The text with every spelling of the person's addresses taken out, also where it is part of a link."""
    if not any(hint in text for hint in _HINTS):
        return text

    def replaced(match: re.Match[str]) -> str:
        local, _, domain = match.groups()
        for start in _starts(local):
            for end in _ends(domain):
                if person.has(f"{local[start:]}@{domain[:end]}"):
                    return local[:start] + ERASED + domain[end:]
        return match[0]

    return _TOKEN.sub(replaced, text)


def _starts(local: str) -> Iterator[int]:
    """Where the address may begin: what stands in front may be part of a link ("?to=", "%3D"), or decoration."""
    for mark in _BEFORE_LOCAL.finditer(local):
        yield mark.end()
        decorated = _DECORATION.match(local, mark.end())
        if decorated and mark.end() < decorated.end() < len(local):
            yield decorated.end()


def _ends(domain: str) -> Iterator[int]:
    """Where it may end: the next sentence may follow its full stop at once."""
    end = len(domain) if len(domain) <= LONGEST_ADDRESS else domain.rfind(".", 0, LONGEST_ADDRESS)
    while domain.find(".", 0, end) > 0:
        yield end
        end = domain.rfind(".", 0, end)


def without_words(text: str, person: Person) -> str:
    """The text without the person's full name and phones."""
    for word in person.words:
        spaced = r"\s+".join(re.escape(part) for part in word.split())
        text = re.sub(rf"(?<!\w){spaced}(?!\w)", ERASED, text, flags=re.IGNORECASE)
    return text


def redacted(value: Any, person: Person, *, words: bool = False) -> Any:
    """Document fields without any trace of the person. words: full name and phones go as well.

    Lists lose the entries that are the person; texts lose the addresses in them; what stands beside the person's
    address goes with it.
    """
    match value:
        case str():
            return _text(value, person, words=words)
        case Mapping():
            return _map(value, person, words=words)
        case list() | tuple():
            return [redacted(item, person, words=words) for item in value if not _is_person(item, person)]
        case _:
            return value


def _text(value: str, person: Person, *, words: bool) -> str:
    if value == person.contact_id:
        return ERASED_CONTACT
    if person.has(value):
        return ERASED_ADDRESS
    found = without_addresses(value, person)
    return without_words(found, person) if words else found


def _map(value: Mapping[str, Any], person: Person, *, words: bool) -> dict[str, Any]:
    theirs = {
        beside
        for name, others in _BESIDE_ADDRESS.items()
        if isinstance(value.get(name), str) and person.has(value[name])
        for beside in others
    }
    return {
        key: (ERASED if kept else kept)
        if key in theirs and isinstance(kept, str)
        else redacted(kept, person, words=words)
        for key, kept in value.items()
        if key != person.contact_id
    }


def _is_person(item: Any, person: Person) -> bool:
    """Whether an entry of a list is nothing but this person: an id, a key, an address, a part they play."""
    if isinstance(item, str):
        return item == person.contact_id or item in person.keys or person.has(item)
    return isinstance(item, Mapping) and item.get("contact_id") == person.contact_id


class ErasureState(StrEnum):
    """erasing: begun; run it again to go on. settling: all gone; a second look is due. done: the second look found
    nothing."""

    ERASING = "erasing"
    SETTLING = "settling"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The proof, without anything about the person but hashes.

    keys: of the addresses, by which the sync keeps leaving the person out and the second look finds what came late.
    suppressed: ids of the address rows that keep them out. shared: how many addresses stayed because somebody else has
    them too. traces: what was found before anything was changed, by collection. kept: signed papers that stay, by path.
    erased_papers: signed papers lose the person as well.
    """

    erasure_id: str
    contact_id: str
    begun_at: datetime
    keys: frozenset[str]
    suppressed: tuple[str, ...]
    shared: int
    traces: Mapping[str, int]
    erased_papers: bool
    state: ErasureState = ErasureState.ERASING
    kept: tuple[str, ...] = ()
    gone_at: datetime | None = None
    done_at: datetime | None = None


def erasure_id(contact_id: str) -> str:
    return short_id("z", "erasure", contact_id)

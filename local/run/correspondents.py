"""Whom somebody writes with, read from their mail: contacts for a reader who brought mail and no contacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.google.gmail.headers import as_gmail_tells, split_head
from local.google.gmail.seed import FileSlice, SeedMessage
from local.takeout.mbox import read_mbox
from shared.domain.ledger import SYSTEM_LABELS
from shared.domain.mail.addresses import Address, domain_of, is_free_mail, is_role_address, untagged
from shared.domain.mail.envelope import MailHeaders, read_headers
from shared.domain.mail.headers import Headers

_HEAD_AT_MOST = 256 * 1024
_WRITTEN_TO_COUNTS = 3
"""Somebody answered counts more than somebody who writes: that is how shops and newsletters fall behind."""

_PEOPLE_AT_MOST = 20
"""More recipients than this say little about who knows whom."""


@dataclass(frozen=True, slots=True)
class Correspondent:
    """name: as their mail writes it, else made from the address."""

    address: str
    name: str
    score: int


def frequent_correspondents(paths: Iterable[Path], me: str, *, scratch: Path, limit: int) -> list[Correspondent]:
    """The people outside one's own domain who were written to or wrote most, best first.

    Newsletters, lists and addresses nobody answers at are left out.

    Args:
        scratch: a folder for what reading the mbox has to rewrite.
    Raises: UnreadableFileError.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    scores: Counter[str] = Counter()
    names: dict[str, str] = {}
    own_domain = None if is_free_mail(domain_of(me)) else domain_of(me)
    now = datetime.now(UTC)
    for message in read_mbox(paths, own_addresses=[me], scratch=scratch, now=now, report=lambda _sentence: None):
        for person, points in _people(message):
            address = untagged(person.email)
            if address == me or domain_of(address) == own_domain or is_role_address(address):
                continue
            scores[address] += points
            if person.name:
                names.setdefault(address, person.name)
    return [
        Correspondent(address, names.get(address) or _name_from(address), score)
        for address, score in scores.most_common(limit)
    ]


def _people(message: SeedMessage) -> Iterable[tuple[Address, int]]:
    if SYSTEM_LABELS & set(message.labels):
        return []
    headers = _headers(message)
    if "SENT" in message.labels:
        recipients = (*headers.to, *headers.cc)
        known = recipients if len(recipients) <= _PEOPLE_AT_MOST else ()
        return [(person, _WRITTEN_TO_COUNTS) for person in known]
    return [(headers.from_, 1)] if headers.from_ and not headers.bulk else []


def _headers(message: SeedMessage) -> MailHeaders:
    raw = message.raw.read(_HEAD_AT_MOST) if isinstance(message.raw, FileSlice) else message.raw[:_HEAD_AT_MOST]
    lines, _ = split_head(raw)
    told = Headers(tuple((name, as_gmail_tells(name, value)) for name, value in lines))
    return read_headers(told, gmail_id="", gmail_thread_id="", internal_at=message.received_at)


def _name_from(address: str) -> str:
    words = address.partition("@")[0].replace(".", " ").replace("_", " ").replace("-", " ").split()
    return " ".join(word.capitalize() for word in words) or address

"""Two contacts with one address: mail with it stands on both timelines, and people are told (R3, I30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.ids import short_id
from shared.domain.message import participant_key
from shared.domain.people import Contact
from shared.domain.values import dataclass

WHAT_NOW = (
    "Both contacts have this address: mail with it stands on both timelines. Keep the address on one of them and its "
    "mail leaves the other, or dismiss this if both are right. Two contacts cannot be joined into one yet."
)


@dataclass(frozen=True, slots=True)
class DuplicateNotice:
    """contact_ids: the two, in id order. key: the address's participant key; the address itself stands on the contacts.
    dismissed_by: who said that both are right."""

    notice_id: str
    key: str
    contact_ids: tuple[str, ...]
    noticed_at: datetime
    dismissed_by: str | None = None
    dismissed_at: datetime | None = None
    open: bool = True

    def dismissed(self, actor: str, now: datetime) -> DuplicateNotice:
        return replace(self, open=False, dismissed_by=actor, dismissed_at=now)


def duplicate_notice(key: str, one: str, other: str, now: datetime) -> DuplicateNotice:
    """One per address and pair, whichever of the two got the address last."""
    pair = tuple(sorted((one, other)))
    return DuplicateNotice(short_id("dn", key, *pair), key, pair, now)


def shared_address(notice: DuplicateNotice, contacts: tuple[Contact, ...], index_key: bytes) -> str | None:
    """The address both still have; None once one of them is gone or has it no longer."""
    if len(contacts) != len(notice.contact_ids):
        return None
    first, second = contacts
    both = [email for email in first.emails if email in second.emails]
    return next((email for email in both if participant_key(index_key, email) == notice.key), None)

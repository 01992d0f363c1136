"""Tell people of contacts that share an address (R3, I30)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.duplicate import DuplicateNotice, duplicate_notice
from shared.domain.message import participant_key
from shared.domain.people import Contact
from shared.ports.documents import Write
from shared.ports.time import Clock, Jitter
from shared.records.addresses import Addresses
from shared.records.duplicates import Duplicates
from shared.records.store import TenantStore, guarded


def notice_duplicates(store: TenantStore, contact: Contact, index_key: bytes, *, clock: Clock, jitter: Jitter) -> None:
    """Make the notices of one contact true: one for each address and each other contact that has it, none for what is
    shared no longer; a dismissed one stays dismissed.

    Runs after the commit of a contact, so that of two saved at one time the later run sees both.
    """

    def attempt() -> None:
        duplicates = Duplicates(store)
        wanted = {notice.notice_id: notice for notice in _wanted(store, contact, index_key, clock)}
        made = duplicates.known(list(wanted))
        writes: list[Write] = [duplicates.creating(notice) for id_, notice in wanted.items() if id_ not in made]
        writes += [
            duplicates.forgetting(kept)
            for kept in duplicates.of_contact(contact.contact_id)
            if kept.open and kept.notice_id not in wanted
        ]
        if writes:
            store.commit(writes)

    guarded(jitter, f"the duplicates of contact {contact.contact_id}", attempt)


def _wanted(store: TenantStore, contact: Contact, index_key: bytes, clock: Clock) -> Iterator[DuplicateNotice]:
    """By the very address: ann+a@ and ann+b@ are two people's on purpose."""
    now, id_ = clock.now(), contact.contact_id
    for row in Addresses(store, index_key).rows(contact.emails).values():
        for known in row.known:
            if known.kind == "contact" and known.id != id_ and known.email in contact.emails:
                yield duplicate_notice(participant_key(index_key, known.email), id_, known.id, now)

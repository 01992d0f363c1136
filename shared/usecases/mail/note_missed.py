"""A mailbox that is not served cannot be searched: it remembers that there was something to search for (R7)."""

from __future__ import annotations

from dataclasses import replace

from shared.ports.time import Jitter
from shared.records.mailboxes import Mailboxes
from shared.records.store import TenantStore, guarded


def note_missed(store: TenantStore, mailbox_id: str, jitter: Jitter) -> bool:
    """Whether it was noted; not where the mailbox is served by now, and can be searched at once."""

    def attempt() -> bool:
        mailboxes = Mailboxes(store)
        stored = mailboxes.get(mailbox_id)
        if stored.value.served:
            return False
        if not stored.value.missed:
            store.commit([mailboxes.updating(replace(stored.value, missed=True), stored.version)])
        return True

    return guarded(jitter, f"mailbox {mailbox_id}", attempt)

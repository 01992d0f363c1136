"""Park one message that cannot be logged, with its reason, so that the mailbox goes on (I4)."""

from __future__ import annotations

from shared.domain.ledger import SeenRow
from shared.domain.quarantine import MESSAGE, Parked
from shared.records.followups import Quarantine
from shared.records.store import guarded
from shared.records.stored import Stored
from shared.usecases.mail.served import ServedMailbox


def quarantine_message(served: ServedMailbox, row: Stored[SeenRow], reason: str) -> None:
    """Row and parked entry in one commit. The message is fetched again on replay: nothing of it is kept.

    A row that changed since it was read is left alone: it is somebody else's work now.
    """

    def attempt() -> None:
        current = served.seen.get(row.value.gmail_id)
        if current is None or current.version != row.version:
            return
        quarantine = Quarantine(served.store)
        key = f"{served.mailbox_id}/{row.value.gmail_id}"
        parked = Parked(
            kind=MESSAGE,
            key=key,
            reason=reason,
            parked_at=served.clock.now(),
            ids={"mailbox": served.mailbox_id, "gmail_id": row.value.gmail_id},
        )
        before = quarantine.find(parked.parked_id)
        entry = (
            quarantine.updating(parked.again(before.value), before.version) if before else quarantine.creating(parked)
        )
        served.store.commit([served.seen.updating(row.value.quarantined(), row.version), entry])

    guarded(served.jitter, f"message {row.value.gmail_id}", attempt)
    served.warn("message.quarantined", gmail_id=row.value.gmail_id, reason=reason)

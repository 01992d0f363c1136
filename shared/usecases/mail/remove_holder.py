"""Take a mailbox's copy off the timelines: it was deleted, went to trash, or must not be logged any more (G7).

The readers of that holder go. A message nobody holds any more is hidden and erased 30 days later, so that mail which
comes back from trash finds everything as it was.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.ledger import SeenRow, State
from shared.domain.message import HIDDEN_FOR, summary_of
from shared.domain.outbox import Promise, promise
from shared.domain.visibility import reader_keys
from shared.ports.documents import Write
from shared.records.followups import Outbox
from shared.records.store import guarded
from shared.records.stored import Stored
from shared.usecases.mail.place import Place, live_thread
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.promises import keep_promise_tasks


def remove_holder(served: ServedMailbox, row: Stored[SeenRow], settled: SeenRow, user_id: str) -> None:
    """Write `settled` as the row's outcome and, where the row had a message posted, take its holder away with it."""
    promised: list[Promise] = []

    def attempt() -> None:
        current = served.seen.get(row.value.gmail_id)
        if current is None or current.version != row.version:
            return
        writes, follow_ups = removal(served, row.value, user_id)
        promised[:] = follow_ups
        outbox = Outbox(served.store)
        served.store.commit(
            [served.seen.updating(settled, row.version), *writes, *(outbox.creating(kept) for kept in follow_ups)]
        )

    guarded(served.jitter, f"message {row.value.gmail_id}", attempt)
    served.tasks.create(keep_promise_tasks(promised))
    served.log("holder.removed", gmail_id=row.value.gmail_id, state=settled.state.value)


def removal(served: ServedMailbox, row: SeenRow, user_id: str) -> tuple[list[Write], list[Promise]]:
    """What takes this holder off the message its row posted, and the follow-ups of that."""
    if row.message_id is None or _held_twice(served, row):
        return [], []
    place = Place(served.store, user_id if row.own_record else None)
    stored = place.messages.find(row.message_id)
    if stored is None:
        return [], []
    gone = frozenset(reader_keys(user_id))
    message = stored.value
    readers = tuple(reader for reader in message.readers if reader not in gone)
    now = served.clock.now()
    hidden = not readers and message.hidden_at is None
    after = replace(message, readers=readers)
    if hidden:
        after = replace(after, hidden_at=now, expires_at=now + HIDDEN_FOR)
    thread = live_thread(place, message.thread_id)
    rebuilt = thread.value.with_changed(summary_of(after))
    writes = [
        place.messages.updating(after, stored.version),
        place.threads.updating(rebuilt, thread.version),
        *place.entries(rebuilt, place.owners(after.contact_ids)),
    ]
    figures = [refresh_promise(served, contact_id, row) for contact_id in after.contact_ids] if hidden else []
    return writes, figures


def refresh_promise(served: ServedMailbox, contact_id: str, row: SeenRow) -> Promise:
    """The contact's figures are computed anew: a maximum cannot fall by itself (R5)."""
    ids = {"tenant": served.store.tenant, "contact": contact_id}
    new = (contact_id, served.mailbox_id, row.gmail_id, str(row.rev))
    return promise("contact_refresh", ids, served.clock.now(), *new)


def _held_twice(served: ServedMailbox, row: SeenRow) -> bool:
    """Whether this mailbox holds the same message under another Gmail id, as imports leave it."""
    if row.message_key is None:
        return False
    copies = served.seen.by_message_key(row.message_key)
    return any(
        copy.gmail_id != row.gmail_id and copy.state is State.LOGGED and copy.message_id == row.message_id
        for copy in copies
    )

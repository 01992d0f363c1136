"""Erase messages that no mailbox has held for thirty days: row, bodies and every summary (G7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared import log
from shared.domain.message import LoggedMessage
from shared.ports.blobs import Blobs
from shared.ports.documents import Documents
from shared.ports.time import Clock, Jitter
from shared.records.store import TenantStore, guarded
from shared.records.sweeps import hidden_before
from shared.usecases.mail.place import Place, live_thread


def erase_hidden(documents: Documents, *, blobs: Callable[[str], Blobs], clock: Clock, jitter: Jitter) -> int:
    """Erase what is due in every tenant, whose blobs `blobs` opens; returns how many."""
    due = list(hidden_before(documents, clock.now()))
    for found in due:
        user_id = found.segment(1) if found.path.startswith("users/") else None
        place = Place(TenantStore(documents, found.tenant), user_id)
        erase_message(place, found.path.rsplit("/", 1)[1], blobs=blobs(found.tenant), clock=clock, jitter=jitter)
    return len(due)


def erase_message(place: Place, message_id: str, *, blobs: Blobs, clock: Clock, jitter: Jitter) -> None:
    """The row says first that it is being erased, so that mail which returns at this moment waits until it is gone, and
    is then fetched anew. Blobs next: what names them goes last, and a crash leaves something that says what is to do.

    The thread stays, empty of it: others redirect to it, and a late reply still finds its place.
    """
    message = guarded(jitter, f"message {message_id}", lambda: _begin(place, message_id, clock))
    if message is None:
        return
    for key in (message.text_blob, message.html_blob):
        if key is not None:
            blobs.delete(key)

    def attempt() -> None:
        current = place.messages.find(message_id)
        if current is None or current.value.readers:
            return
        thread = live_thread(place, current.value.thread_id)
        rebuilt = thread.value.without_message(message_id)
        owners = place.owners(current.value.contact_ids)
        place.store.commit(
            [
                place.messages.deleting(message_id, current.version),
                place.threads.updating(rebuilt, thread.version),
                *place.entries(rebuilt, owners),
            ]
        )
        log.event("message.erased", tenant=place.store.tenant, message_id=message_id)

    guarded(jitter, f"message {message_id}", attempt)


def _begin(place: Place, message_id: str, clock: Clock) -> LoggedMessage | None:
    """The message, marked; None where it is not due, or held again."""
    stored, now = place.messages.find(message_id), clock.now()
    if stored is None or stored.value.readers or stored.value.expires_at is None or stored.value.expires_at > now:
        return None
    place.store.commit([place.messages.updating(replace(stored.value, erasing_at=now), stored.version)])
    return stored.value

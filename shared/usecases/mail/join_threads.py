"""Move the messages of a thread into the one that took it over (G15)."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.message import summary_of
from shared.domain.threads import joined, older_of
from shared.ports.documents import Write
from shared.ports.time import Jitter
from shared.records.mail import Timelines
from shared.records.store import TenantStore, guarded
from shared.usecases.mail.place import Place, live_thread

MESSAGES_A_COMMIT = 100


def join_threads(store: TenantStore, *, user_id: str | None, loser: str, winner: str, jitter: Jitter) -> None:
    """Bring everything of `loser` to where it redirects, and take its entries away. Safe to repeat.

    Summaries are made anew from the rows: a reader may have come or gone since the thread was taken over.
    """
    place = Place(store, user_id)
    while _move_some(place, loser, winner, jitter):
        pass


def join_parent(store: TenantStore, *, user_id: str | None, message: str, parent: str, jitter: Jitter) -> None:
    """Make one conversation of a message and the one it answers, if that one is here now. Safe to repeat.

    First the redirect, then the move: a repeat that finds the redirect goes on with the move.
    """
    place = Place(store, user_id)

    def attempt() -> list[tuple[str, str]]:
        rows = place.messages.get_all([message, parent])
        if len(rows) < 2:
            return []
        live = [live_thread(place, row.value.thread_id) for row in rows]
        winner = older_of([stored.value for stored in live]).thread_id
        losers = {stored.value.thread_id: stored for stored in live if stored.value.thread_id != winner}
        redirects = [
            place.threads.updating(replace(loser.value, merged_into=winner), loser.version) for loser in losers.values()
        ]
        if redirects:
            store.commit(redirects)
        return [(row.value.thread_id, winner) for row in rows if row.value.thread_id != winner]

    for loser, winner in guarded(jitter, f"message {message}", attempt):
        join_threads(store, user_id=user_id, loser=loser, winner=winner, jitter=jitter)


def _move_some(place: Place, loser: str, winner: str, jitter: Jitter) -> bool:
    """Move up to MESSAGES_A_COMMIT messages; False when none is left."""

    def attempt() -> bool:
        old = place.threads.find(loser)
        if old is None or old.value.merged_into is None:
            return False
        batch = sorted(old.value.messages)[:MESSAGES_A_COMMIT]
        if not batch and not old.value.older:
            return False
        new = live_thread(place, winner)
        rows = place.messages.get_all(batch)
        summaries = {row.value.message_id: summary_of(row.value) for row in rows}
        rebuilt = joined(new.value, [replace(old.value, messages=summaries, older=old.value.older)])
        emptied = replace(
            old.value,
            messages={id_: kept for id_, kept in old.value.messages.items() if id_ not in batch},
            older=0,
        )
        contacts = tuple(dict.fromkeys(id_ for kept in summaries.values() for id_ in kept.contact_ids))
        owners = place.owners(contacts)
        timelines = Timelines(place.store)
        writes: list[Write] = [
            place.threads.updating(rebuilt, new.version),
            place.threads.updating(emptied, old.version),
            *(place.messages.updating(replace(row.value, thread_id=new.value.thread_id), row.version) for row in rows),
            *place.entries(rebuilt, owners),
        ]
        still_there = set(place.owners(emptied.contact_ids)) if emptied.messages else set()
        writes += [timelines.deleting(owner, loser) for owner in owners if owner not in still_there]
        place.store.commit(writes)
        return True

    return guarded(jitter, f"thread {loser}", attempt)

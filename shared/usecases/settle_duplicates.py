"""List the contacts that share an address, and settle it: dismiss, or keep the address on one of them (R3, I30)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from shared.domain.duplicate import DuplicateNotice, shared_address
from shared.domain.people import User, Viewer
from shared.domain.values import dataclass
from shared.errors import InputError, NotFoundError
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.duplicates import Duplicates
from shared.records.organizations import Organizations
from shared.records.people import Contacts, StoredContact
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.save_contact import save_contact

LISTED_AT_MOST = 100
READ_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A notice as people read it: the address, and the two who have it."""

    notice: DuplicateNotice
    address: str
    contacts: tuple[StoredContact, ...]


def list_duplicates(store: TenantStore, viewer: Viewer) -> list[Duplicate]:
    """Open notices about contacts both of which the viewer may see; at most LISTED_AT_MOST."""
    index_key = Organizations(store).get().index_key
    found: list[Duplicate] = []
    after: str | None = None
    while len(found) < LISTED_AT_MOST:
        page = Duplicates(store).open(after=after, limit=READ_AT_ONCE)
        found += _shown(store, page, index_key, viewer)
        if len(page) < READ_AT_ONCE:
            break
        after = page[-1].notice_id
    return found[:LISTED_AT_MOST]


def _shown(
    store: TenantStore, notices: Sequence[DuplicateNotice], index_key: bytes, viewer: Viewer
) -> Iterator[Duplicate]:
    ids = dict.fromkeys(id_ for notice in notices for id_ in notice.contact_ids)
    contacts = {stored.contact.contact_id: stored for stored in Contacts(store).get_all(list(ids))}
    for notice in notices:
        pair = tuple(contacts[id_] for id_ in notice.contact_ids if id_ in contacts)
        address = shared_address(notice, tuple(stored.contact for stored in pair), index_key)
        if address and all(viewer.may_see_records_of(stored.contact.owner_id) for stored in pair):
            yield Duplicate(notice, address, pair)


def settle_duplicate(
    store: TenantStore,
    notice_id: str,
    action: str,
    *,
    keeper_id: Callable[[], str],
    actor: User,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """action: "dismiss", or "move" with the contact that keeps the address. Raises: InputError, NotFoundError."""
    if action == "dismiss":
        dismiss_duplicate(store, notice_id, actor, clock=clock, jitter=jitter)
    elif action == "move":
        move_address(store, notice_id, keeper_id(), actor, tasks=tasks, clock=clock, jitter=jitter)
    else:
        raise InputError("The action is move or dismiss.")


def dismiss_duplicate(store: TenantStore, notice_id: str, actor: User, *, clock: Clock, jitter: Jitter) -> None:
    """Both contacts have the address rightly. Raises: NotFoundError, also for one the actor may not see."""

    def attempt() -> None:
        stored, _ = _asked_for(store, notice_id, actor)
        if not stored.value.open:
            return
        now = clock.now()
        store.commit(
            [
                Duplicates(store).updating(stored.value.dismissed(actor.user_id, now), stored.version),
                Audit(store).recording(actor.user_id, "duplicate.dismissed", notice_id, now),
            ]
        )

    guarded(jitter, f"duplicate notice {notice_id}", attempt)


def move_address(
    store: TenantStore,
    notice_id: str,
    keeper_id: str,
    actor: User,
    *,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Keep the address on one contact: it is taken from the other, and mail follows it (R7). The notice goes when the
    follow-up of that change finds the address shared no longer.

    Raises: NotFoundError, also for a notice the actor may not see; InputError for a contact the notice does not name,
    or where the other contact could not be reached any more.
    """
    _, duplicate = _asked_for(store, notice_id, actor)
    if keeper_id not in duplicate.notice.contact_ids:
        raise InputError("Choose one of the two contacts that have the address.")
    [loser] = [stored.contact for stored in duplicate.contacts if stored.contact.contact_id != keeper_id]
    left = tuple(email for email in loser.emails if email != duplicate.address)
    if not left and not loser.phones:
        raise InputError(f"This address is all that is known of {loser.name}. Add another address or a phone first.")
    save_contact(store, replace(loser, emails=left), actor=actor.user_id, tasks=tasks, clock=clock, jitter=jitter)


def _asked_for(store: TenantStore, notice_id: str, actor: User) -> tuple[Stored[DuplicateNotice], Duplicate]:
    stored = Duplicates(store).get(notice_id)
    for shown in _shown(store, [stored.value], Organizations(store).get().index_key, actor.viewer):
        return stored, shown
    raise NotFoundError(f"duplicate notice {notice_id} does not exist")

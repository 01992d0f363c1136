"""Park what cannot be handled, and try it again when somebody has mended the cause (I4)."""

from __future__ import annotations

from dataclasses import replace

from shared import log
from shared.domain.ids import digest
from shared.domain.ledger import State, Wish
from shared.domain.people import Role, User
from shared.domain.quarantine import MESSAGE, Parked, ParkedState
from shared.errors import ContendedError, ForbiddenError, InputError, StaleWriteError
from shared.ports.documents import Write
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock, Jitter
from shared.records.followups import Quarantine
from shared.records.seen import Seen
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored

LISTED_AT_MOST = 200


def park(store: TenantStore, parked: Parked, jitter: Jitter) -> str:
    """Keep what could not be handled; parked again it is counted, not doubled. Returns its id."""

    def attempt() -> None:
        quarantine = Quarantine(store)
        before = quarantine.find(parked.parked_id)
        write = (
            quarantine.updating(parked.again(before.value), before.version) if before else quarantine.creating(parked)
        )
        store.commit([write])

    guarded(jitter, f"quarantine {parked.parked_id}", attempt)
    log.event("work.parked", severity="WARNING", tenant=store.tenant, kind=parked.kind, parked=parked.parked_id)
    return parked.parked_id


def list_parked(store: TenantStore, viewer: User) -> list[Parked]:
    """What waits, oldest first. Raises: ForbiddenError for anyone but admins."""
    _require_admin(viewer)
    return [stored.value for stored in Quarantine(store).parked(LISTED_AT_MOST)]


def _require_admin(viewer: User) -> None:
    if viewer.role is not Role.ADMIN:
        raise ForbiddenError(f"user {viewer.user_id} is no admin")


def replay(store: TenantStore, parked_id: str, actor: User, *, tasks: Tasks, clock: Clock) -> None:
    """Queue a parked thing again.

    Raises: NotFoundError; ForbiddenError for anyone but admins; InputError for one that has nothing to replay;
    ContendedError if it changed meanwhile.
    """
    _require_admin(actor)
    quarantine = Quarantine(store)
    found = quarantine.get(parked_id)
    replayed = quarantine.updating(replace(found.value, state=ParkedState.REPLAYED), found.version)
    try:
        if found.value.kind == MESSAGE:
            _replay_message(store, found, replayed, tasks=tasks, clock=clock)
        else:
            _replay_task(store, found, replayed, tasks=tasks, clock=clock)
    except StaleWriteError as changed:
        raise ContendedError(f"quarantine {parked_id} changed meanwhile") from changed


def _replay_task(store: TenantStore, found: Stored[Parked], replayed: Write, *, tasks: Tasks, clock: Clock) -> None:
    if found.value.queue is None or found.value.function is None or found.value.payload is None:
        raise InputError("This entry tells of something that was refused for good; there is nothing to run again.")
    name = digest("replay", store.tenant, found.value.parked_id, found.value.times, clock.now().isoformat())
    tasks.create([Task(found.value.queue, found.value.function, name, found.value.payload)])
    store.commit([replayed])


def _replay_message(store: TenantStore, found: Stored[Parked], replayed: Write, *, tasks: Tasks, clock: Clock) -> None:
    """The message's row is queued anew in the commit that marks the entry, and its task follows."""
    ids = found.value.ids
    seen = Seen(store, ids["mailbox"])
    row = seen.get(ids["gmail_id"])
    if row is None or row.value.state is not State.QUARANTINED:
        store.commit([replayed])
        return
    again = row.value.queued_again(Wish.READ, clock.now())
    store.commit([seen.updating(again, row.version), replayed])
    payload = {"tenant": store.tenant, "mailbox": ids["mailbox"], "messages": [[again.gmail_id, again.rev]]}
    name = digest("message-ingest", store.tenant, ids["mailbox"], again.gmail_id, again.rev)
    tasks.create([Task("message-ingest", "message_ingest", name, payload)])

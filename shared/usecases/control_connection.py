"""Pause, resume, disable and disconnect (G4). What was logged stays; what is ours to delete goes at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared import log
from shared.domain.mailbox import MailboxRecord, Status
from shared.domain.outbox import Promise, promise
from shared.domain.people import Role, User
from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    ContendedError,
    ForbiddenError,
    InputError,
    NotFoundError,
    StaleWriteError,
)
from shared.ports.documents import Documents, Write
from shared.ports.mailbox import Mailbox
from shared.ports.oauth import Authorization
from shared.ports.secrets import Vault
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.records.followups import Outbox
from shared.records.mailboxes import Mailboxes, MailStreams
from shared.records.routes import Routes, Target, removing_route
from shared.records.store import TenantStore, guarded
from shared.usecases.access_token import REFRESH_TOKEN
from shared.usecases.promises import keep_promise_tasks

RECONNECT_FIRST = "This mailbox has to be connected again first."
WAITS_FOR_PERSON = frozenset({Status.RECONNECT_NEEDED, Status.ADMIN_ACTION_NEEDED, Status.DISCONNECTED})


def control_connection(
    store: TenantStore,
    mailbox_id: str,
    actor: User,
    wanted: Status,
    *,
    documents: Documents,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Bring a mailbox to the status a person wants. Raises: NotFoundError, ForbiddenError, InputError."""
    if wanted is Status.DISCONNECTED:
        disconnect(store, mailbox_id, actor, documents=documents, tasks=tasks, clock=clock, jitter=jitter)
    else:
        set_status(store, mailbox_id, actor, wanted, tasks=tasks, clock=clock, jitter=jitter)


def set_status(
    store: TenantStore, mailbox_id: str, actor: User, wanted: Status, *, tasks: Tasks, clock: Clock, jitter: Jitter
) -> None:
    """Pause (the user's own choice), disable (an admin's) or resume. Resuming fills the gap from the cursor.

    Raises: NotFoundError, ForbiddenError, InputError for a mailbox that first has to be reconnected.
    """
    now = clock.now()

    def attempt() -> Promise | None:
        mailboxes = Mailboxes(store)
        stored = mailboxes.get(mailbox_id)
        _require_right(stored.value, actor, wanted)
        connection = Connections(store).find(stored.value.connection_id)
        if wanted is Status.CONNECTED and connection is not None and connection.value.status in WAITS_FOR_PERSON:
            raise InputError(RECONNECT_FIRST)
        if stored.value.status is wanted:
            return None
        after = replace(stored.value, status=wanted, changed_by=actor.user_id, changed_at=now)
        writes: list[Write] = [mailboxes.updating(after, stored.version)]
        opening = None
        if wanted is Status.CONNECTED:
            ids = {"tenant": store.tenant, "mailbox": mailbox_id}
            opening = promise("mailbox_open", ids, now, mailbox_id, "resumed", now.isoformat())
            writes.append(Outbox(store).creating(opening))
        change = {"before": {"status": stored.value.status.value}, "after": {"status": wanted.value}}
        writes.append(Audit(store).recording(actor.user_id, "mailbox.status_changed", mailbox_id, now, **change))
        store.commit(writes)
        return opening

    opening = guarded(jitter, f"mailbox {mailbox_id}", attempt)
    if opening is not None:
        tasks.create(keep_promise_tasks([opening]))


def _require_right(mailbox: MailboxRecord, actor: User, wanted: Status) -> None:
    admin = actor.role is Role.ADMIN
    if mailbox.user_id != actor.user_id and not admin:
        raise ForbiddenError("Only its user or an admin may change this mailbox.")
    if Status.DISABLED in (wanted, mailbox.status) and not admin:
        raise ForbiddenError("Only an admin may disable a mailbox, or enable a disabled one.")
    if wanted is not Status.DISCONNECTED and mailbox.status in WAITS_FOR_PERSON:
        raise InputError(RECONNECT_FIRST)


def disconnect(
    store: TenantStore,
    mailbox_id: str,
    actor: User,
    *,
    documents: Documents,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Stop serving a mailbox. Its route and every notice end now; the watch at Google and the grant by a task, which
    keeps the sealed token until then and deletes it as its last step.

    Raises: NotFoundError, ForbiddenError.
    """
    now = clock.now()

    def attempt() -> Promise | None:
        mailboxes = Mailboxes(store)
        stored = mailboxes.get(mailbox_id)
        _require_right(stored.value, actor, Status.DISCONNECTED)
        if stored.value.status is Status.DISCONNECTED:
            return None
        ids = {"tenant": store.tenant, "mailbox": mailbox_id, "connection": stored.value.connection_id}
        ending = promise("mailbox_close", ids, now, mailbox_id, now.isoformat())
        after = replace(stored.value, status=Status.DISCONNECTED, changed_by=actor.user_id, changed_at=now)
        writes: list[Write] = [
            mailboxes.updating(after, stored.version),
            Outbox(store).creating(ending),
            Audit(store).recording(actor.user_id, "connection.removed", stored.value.connection_id, now),
        ]
        route = removing_route("gmail", stored.value.address, Target(store.tenant, mailbox_id))
        documents.commit([*store.absolute(writes), route])
        return ending

    ending = guarded(jitter, f"mailbox {mailbox_id}", attempt)
    if ending is not None:
        tasks.create(keep_promise_tasks([ending]))


def close_mailbox(
    store: TenantStore,
    mailbox_id: str,
    connection_id: str,
    *,
    documents: Documents,
    gmail: Mailbox,
    close_calendars: Callable[[], None],
    vault: Vault,
    authorization: Authorization,
    tasks: Tasks,
    clock: Clock,
) -> None:
    """End watch, channels and grant at Google, then delete the credentials (G4, D6).

    A watch belongs to the mailbox and a grant to the person, whatever tenant asked for them: both stay while another
    tenant serves this mailbox. A grant that is gone already is success; only then are the tokens deleted, so that a
    crash repeats the call.
    """
    mailbox = Mailboxes(store).get(mailbox_id).value
    if mailbox.status is not Status.DISCONNECTED:
        # Connected again meanwhile. An earlier attempt may have stopped what the new connection found running.
        if mailbox.served:
            _open_again(store, mailbox_id, tasks=tasks, clock=clock)
        return
    connections = Connections(store)
    credentials = connections.credentials(connection_id)
    if credentials is None:
        return
    _quietly(close_calendars)
    if not Routes(documents).targets("gmail", mailbox.address):
        _quietly(gmail.stop_watch)
        refresh_token = vault.open(connection_id, REFRESH_TOKEN, credentials.value.refresh_token).decode()
        authorization.revoke(refresh_token)
    last = connections.credentials(connection_id)  # what was stopped above may have asked for a token: read them anew
    if last is None or last.value.generation != credentials.value.generation:
        raise ContendedError(f"connection {connection_id} was made anew while it was closed")
    streams = MailStreams(store, mailbox_id)
    ended = [
        *connections.deleting(connection_id, last.version),
        streams.stopping_watch(),
        streams.forgetting_budget(),  # what lay in it is no longer there for whoever reads the mailbox elsewhere
    ]
    try:
        store.commit(ended)
    except StaleWriteError as refreshed:
        raise ContendedError(f"connection {connection_id} changed while it was closed") from refreshed
    log.event("connection.closed", tenant=store.tenant, connection=connection_id)


def _open_again(store: TenantStore, mailbox_id: str, *, tasks: Tasks, clock: Clock) -> None:
    now = clock.now()
    ids = {"tenant": store.tenant, "mailbox": mailbox_id}
    opening = promise("mailbox_open", ids, now, mailbox_id, "not closed", now.isoformat())
    store.commit([Outbox(store).creating(opening)])
    tasks.create(keep_promise_tasks([opening]))


def _quietly(stop: Callable[[], None]) -> None:
    """What the vendor no longer lets us stop has ended with the grant."""
    try:
        stop()
    except (ConnectionRevokedError, AdminActionError, NotFoundError):
        return

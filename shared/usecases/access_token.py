"""A connection's access token: from the cache, or refreshed once by whoever gets the lease (I15, I26, D8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared import log
from shared.domain.connection import Credentials
from shared.domain.mailbox import SERVED, Status
from shared.domain.values import dataclass
from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    ContendedError,
    RateLimitedError,
    StaleWriteError,
)
from shared.ports.documents import Version, Write
from shared.ports.oauth import Authorization
from shared.ports.secrets import Vault
from shared.ports.time import Chance, Clock, Jitter
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.records.mailboxes import Mailboxes
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.lease import Held, take_lease

REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a field
ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a field
BUSY_FOR = timedelta(seconds=2)
LASTS_A_WHILE = timedelta(minutes=1)
"""A token that ends no sooner still serves while somebody else fetches the next one, or died doing so."""


@dataclass(frozen=True, slots=True)
class Credit:
    """What minting a token needs. `actor` stands in the audit log."""

    store: TenantStore
    vault: Vault
    authorization: Authorization
    clock: Clock
    chance: Chance
    jitter: Jitter
    actor: str = "system"


def access_token(credit: Credit, connection_id: str, *, rejected: str | None = None) -> str:
    """A token that is good for at least some minutes.

    rejected: a token the vendor just refused, so that the cached one is not handed out again.
    Raises: ConnectionRevokedError (and says so on the connection, once), AdminActionError, ProviderUnavailableError,
    RateLimitedError (also while another worker refreshes).
    """
    connections = Connections(credit.store)
    for _ in range(2):
        stored = connections.credentials(connection_id)
        if stored is None:
            raise ConnectionRevokedError(f"connection {connection_id} has no credentials")
        cached = _cached(credit, connection_id, stored.value, rejected)
        if cached is not None and stored.value.fresh(credit.clock.now()):
            return cached
        held = _lease(credit, connection_id, stored)
        if held is not None:
            return _refresh(credit, connection_id, held)
        if cached is not None:
            return cached
        credit.jitter.wait(0)
    raise RateLimitedError(f"connection {connection_id} is being refreshed", resume_at=credit.clock.now() + BUSY_FOR)


def _cached(credit: Credit, connection_id: str, credentials: Credentials, rejected: str | None) -> str | None:
    """The stored token, if it still lasts a while and is not the rejected one."""
    ends_at = credentials.expires_at
    if credentials.access_token is None or ends_at is None or ends_at - credit.clock.now() < LASTS_A_WHILE:
        return None
    token = credit.vault.open(connection_id, ACCESS_TOKEN, credentials.access_token).decode()
    return None if token == rejected else token


def _lease(credit: Credit, connection_id: str, stored: Stored[Credentials]) -> Held[Credentials] | None:
    def updating(credentials: Credentials, version: Version) -> Write:
        return Connections(credit.store).writing_credentials(connection_id, credentials, version)

    return take_lease(stored, updating, store=credit.store, clock=credit.clock, chance=credit.chance)


def _refresh(credit: Credit, connection_id: str, held: Held[Credentials]) -> str:
    """Refresh and save under the lease: of two workers, the vendor hears one (I26)."""
    credentials = held.value
    refresh_token = credit.vault.open(connection_id, REFRESH_TOKEN, credentials.refresh_token).decode()
    try:
        fresh = credit.authorization.refresh(refresh_token)
    except ConnectionRevokedError as refused:
        held.release(credentials)
        mark_broken(credit, connection_id, Status.RECONNECT_NEEDED, refused.reason)
        raise
    except AdminActionError as refused:
        held.release(credentials)
        mark_broken(credit, connection_id, Status.ADMIN_ACTION_NEEDED, refused.reason)
        raise
    except Exception:
        held.release(credentials)
        raise
    sealed = credit.vault.seal(connection_id, ACCESS_TOKEN, fresh.token.encode())
    kept = replace(
        credentials,
        access_token=sealed,
        expires_at=fresh.expires_at,
        idle_end_at=fresh.idle_end_at or credentials.idle_end_at,
        hard_end_at=fresh.hard_end_at or credentials.hard_end_at,
    )
    if fresh.refresh_token is not None:
        rotated = credit.vault.seal(connection_id, REFRESH_TOKEN, fresh.refresh_token.encode())
        kept = replace(kept, refresh_token=rotated)
    audit = Audit(credit.store).recording(credit.actor, "token.refreshed", connection_id, credit.clock.now())
    try:
        held.release(kept, [audit])
    except StaleWriteError as stale:
        raise ContendedError(f"connection {connection_id} was made anew during a refresh") from stale
    log.event("token.refreshed", tenant=credit.store.tenant, connection=connection_id)
    return fresh.token


def mark_broken(credit: Credit, connection_id: str, status: Status, problem: str) -> None:
    """Stop all work of the connection and say why, once: whoever comes second finds it said (G5, I15).

    One whose every mailbox is disconnected is being closed: nobody waits for it, and nobody is told.
    """

    def attempt() -> None:
        connections, mailboxes = Connections(credit.store), Mailboxes(credit.store)
        connection = connections.find(connection_id)
        served_by_it = mailboxes.of_connection(connection_id)
        if connection is None or connection.value.status not in SERVED:
            return
        if served_by_it and all(mailbox.value.status is Status.DISCONNECTED for mailbox in served_by_it):
            return
        now = credit.clock.now()
        broken = replace(connection.value, status=status, problem=problem, problem_at=now)
        writes: list[Write] = [connections.updating(broken, connection.version)]
        writes += [
            mailboxes.updating(replace(mailbox.value, status=status), mailbox.version)
            for mailbox in served_by_it
            if mailbox.value.served
        ]
        writes.append(Audit(credit.store).recording("system", "connection.broken", connection_id, now))
        credit.store.commit(writes)
        log.event(
            "connection.broken",
            severity="WARNING",
            tenant=credit.store.tenant,
            connection=connection_id,
            status=status.value,
            problem=problem,
        )

    guarded(credit.jitter, f"connection {connection_id}", attempt)

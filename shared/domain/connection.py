"""A connection: one person's grant to us at one vendor (G1, G4-G6, D6, D8)."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta

from shared.domain.ids import short_id
from shared.domain.lease import FREE, Lease
from shared.domain.mailbox import Status
from shared.domain.values import dataclass

STATE_LIVES = timedelta(minutes=10)
REFRESH_BEFORE_END = timedelta(minutes=5)


def connection_id(provider: str, user_id: str) -> str:
    """One connection per tenant, user and provider."""
    return short_id("n", "connection", provider, user_id)


@dataclass(frozen=True, slots=True)
class Connection:
    """scopes: as granted, not as asked for. refused: features switched off because the person unticked their scopes.
    problem: why it broke, by the error catalogue's id, said once. account_id: the
    vendor's own id of the account, which survives a change of its address."""

    connection_id: str
    provider: str
    user_id: str
    account: str
    account_id: str
    scopes: frozenset[str]
    refused: frozenset[str]
    status: Status
    connected_at: datetime
    problem: str | None = None
    problem_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """Sealed tokens. generation grows with every connect, so that a slow refresh of an older grant cannot win over a
    newer one. idle_end_at: when the grant ends unless it is refreshed before; hard_end_at: when it ends in any case;
    both only where the vendor says so."""

    refresh_token: bytes = field(repr=False)
    access_token: bytes | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    generation: int = 1
    idle_end_at: datetime | None = None
    hard_end_at: datetime | None = None
    lease: Lease = FREE

    def fresh(self, now: datetime) -> bool:
        return (
            self.access_token is not None and self.expires_at is not None and self.expires_at - now > REFRESH_BEFORE_END
        )


@dataclass(frozen=True, slots=True)
class ConsentState:
    """An OAuth flow between its start and its callback. `verifier` is sealed; `binding` is the digest of a cookie of
    the browser it began in. The state itself is the document's id, hashed, and works once."""

    provider: str
    user_id: str
    verifier: bytes = field(repr=False)
    binding: str
    expires_at: datetime

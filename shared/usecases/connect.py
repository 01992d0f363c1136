"""Connect an account at any vendor: the OAuth redirects (G1).

The state is random, bound to the browser in which the signed-in user began, expires, and works once. It remembers which
provider was meant, so one callback serves all of them. What follows a consent is the provider's own: a mailbox is
opened, an account is chosen. It is promised in the commit that keeps the credentials.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hmac import compare_digest

from shared import log
from shared.domain.connection import STATE_LIVES, Connection, ConsentState, Credentials
from shared.domain.ids import digest
from shared.domain.outbox import Promise
from shared.domain.people import Role
from shared.domain.values import dataclass
from shared.errors import ForbiddenError, InputError, StaleWriteError
from shared.ports.oauth import Grant
from shared.ports.tasks import Tasks
from shared.records.connections import ConsentStates
from shared.records.people import Users
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.access_token import ACCESS_TOKEN, REFRESH_TOKEN, Credit
from shared.usecases.promises import keep_promise_tasks

VERIFIER = "pkce_verifier"
START_AGAIN = "Please start connecting again."


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """Where to send the person, and the secret their browser must bring back as a cookie."""

    url: str
    binding: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A connection that was stored, and what was promised with it."""

    connection: Connection
    promises: tuple[Promise, ...] = ()


Keep = Callable[[Credit, ConsentState, Grant], Kept]
"""Stores what a grant leads to at one provider, in one commit, promises included. Run again after a lost race.

Raises: InputError for a grant that is of no use.
"""


def start_consent(
    credit: Credit, *, provider: str, user_id: str, allowed: frozenset[Role] | None = None
) -> ConsentRequest:
    """Begin a flow for a signed-in user. allowed: who may connect this provider; None is everyone.

    Raises: NotFoundError for a user who does not exist; ForbiddenError.
    """
    user = Users(credit.store).get(user_id)
    if allowed is not None and user.role not in allowed:
        raise ForbiddenError(f"user {user_id} may not connect {provider}")
    token, verifier, binding = (credit.chance.token() for _ in range(3))
    state = ConsentState(
        provider=provider,
        user_id=user_id,
        verifier=credit.vault.seal(_state_id(token), VERIFIER, verifier.encode()),
        binding=digest(binding),
        expires_at=credit.clock.now() + STATE_LIVES,
    )
    credit.store.commit([ConsentStates(credit.store).creating(_state_id(token), state)])
    url = credit.authorization.url(state=f"{credit.store.tenant}.{token}", verifier=verifier, login_hint=user.email)
    return ConsentRequest(url, binding)


def tenant_of_state(state: str) -> str:
    """The tenant a returning state names. Raises: InputError."""
    tenant, _, token = state.partition(".")
    if not tenant or not token or "/" in tenant:
        raise InputError(f"This link does not belong to a connection that was started here. {START_AGAIN}")
    return tenant


def consented_provider(store: TenantStore, state: str) -> str:
    """Which provider a returning state was made for. Raises: InputError if it is unknown or used."""
    return _find_state(store, state).value.provider


def use_state(credit: Credit, *, provider: str, state: str, binding: str) -> tuple[ConsentState, str]:
    """Take the state out of the world and return it with its verifier.

    Raises: InputError if it is unknown, used, expired, another provider's or another browser's.
    """
    stored = _find_state(credit.store, state)
    if stored.value.provider != provider:
        raise InputError(f"This connection was finished before, or was never started here. {START_AGAIN}")
    if not compare_digest(stored.value.binding, digest(binding)):
        raise InputError(f"This connection was started in another browser. {START_AGAIN}")
    state_id = _state_id(state.partition(".")[2])
    try:
        credit.store.commit([ConsentStates(credit.store).using(state_id, stored.version)])
    except StaleWriteError as used:
        raise InputError(f"This connection was finished before. {START_AGAIN}") from used
    if stored.value.expires_at <= credit.clock.now():
        raise InputError(f"This took longer than {STATE_LIVES // timedelta(minutes=1)} minutes. {START_AGAIN}")
    return stored.value, credit.vault.open(state_id, VERIFIER, stored.value.verifier).decode()


def finish_consent(
    credit: Credit,
    *,
    provider: str,
    state: str,
    binding: str,
    exchange: Callable[[str], Grant],
    keep: Keep,
    tasks: Tasks,
) -> Connection:
    """The person came back: trade what they brought, store the connection, and promise what follows.

    exchange: trades it with the flow's verifier. A crash after the trade leaves the person not connected: the code
    works once, and they start again.
    Raises: InputError.
    """
    consent, verifier = use_state(credit, provider=provider, state=state, binding=binding)
    grant = exchange(verifier)
    if grant.refresh_token is None:
        raise InputError(f"No lasting access was given. Remove our access in your account there first. {START_AGAIN}")
    kept = guarded(credit.jitter, "the connection", lambda: keep(credit, consent, grant))
    tasks.create(keep_promise_tasks(kept.promises))
    connection = kept.connection
    log.event("connection.made", tenant=credit.store.tenant, connection=connection.connection_id, provider=provider)
    return connection


def sealed_credentials(
    credit: Credit, connection_id: str, grant: Grant, before: Stored[Credentials] | None
) -> Credentials:
    """The tokens of a grant, sealed. before: those they replace."""
    assert grant.refresh_token is not None
    return Credentials(
        refresh_token=credit.vault.seal(connection_id, REFRESH_TOKEN, grant.refresh_token.encode()),
        access_token=credit.vault.seal(connection_id, ACCESS_TOKEN, grant.access_token.encode()),
        expires_at=grant.expires_at,
        idle_end_at=grant.idle_end_at,
        hard_end_at=grant.hard_end_at,
        generation=before.value.generation + 1 if before else 1,
    )


def _find_state(store: TenantStore, state: str) -> Stored[ConsentState]:
    found = ConsentStates(store).find(_state_id(state.partition(".")[2]))
    if found is None:
        raise InputError(f"This connection was finished before, or was never started here. {START_AGAIN}")
    return found


def _state_id(token: str) -> str:
    return digest("oauth-state", token)

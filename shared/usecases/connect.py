"""Connect a person's account: the OAuth redirects, and what must follow them in which order (G1, I2).

The state is random, bound to the browser in which the signed-in user began, expires, and works once. The callback
stores credentials and mailbox and promises the rest. The rest has a fixed order: the cursor is pinned, watch and
channels are started, and only then the past is read: whatever arrives meanwhile is in the history after the pin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hmac import compare_digest

from shared import log
from shared.domain.connection import STATE_LIVES, Connection, ConsentState, Credentials, connection_id
from shared.domain.ids import digest
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.outbox import Promise, promise
from shared.domain.people import Viewer
from shared.errors import InputError, StaleWriteError
from shared.ports import Documents, Grant, Tasks, Write
from shared.records.addresses import Addresses
from shared.records.audit import Audit
from shared.records.connections import Connections, ConsentStates
from shared.records.followups import Outbox
from shared.records.mailboxes import Mailboxes, Stored
from shared.records.organizations import Organizations
from shared.records.people import Users
from shared.records.routes import Target, adding_route
from shared.records.store import guarded
from shared.usecases.access_token import ACCESS_TOKEN, REFRESH_TOKEN, Credit
from shared.usecases.promises import keep_promise_tasks

VERIFIER = "pkce_verifier"
START_AGAIN = "Please start connecting again."


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """Where to send the person, and the secret their browser must bring back as a cookie."""

    url: str
    binding: str


def start_consent(credit: Credit, *, provider: str, user_id: str) -> ConsentRequest:
    """Begin a flow for a signed-in user. Raises: NotFoundError for a user who does not exist."""
    user = Users(credit.store).get(user_id)
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


def use_state(credit: Credit, *, provider: str, state: str, binding: str) -> tuple[ConsentState, str]:
    """Take the state out of the world and return it with its verifier.

    Raises: InputError if it is unknown, used, expired, another provider's or another browser's.
    """
    state_id = _state_id(state.partition(".")[2])
    states = ConsentStates(credit.store)
    stored = states.find(state_id)
    if stored is None or stored.value.provider != provider:
        raise InputError(f"This connection was finished before, or was never started here. {START_AGAIN}")
    if not compare_digest(stored.value.binding, digest(binding)):
        raise InputError(f"This connection was started in another browser. {START_AGAIN}")
    try:
        credit.store.commit([states.using(state_id, stored.version)])
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
    code: str,
    documents: Documents,
    tasks: Tasks,
    refused_features: Callable[[frozenset[str]], frozenset[str]],
) -> Connection:
    """The person came back with a code: trade it, store the connection, and promise what follows.

    A crash after the trade leaves the person not connected: the code works once, and they start again.
    Raises: InputError.
    """
    consent, verifier = use_state(credit, provider=provider, state=state, binding=binding)
    grant = credit.authorization.exchange(code=code, verifier=verifier)
    if grant.refresh_token is None:
        raise InputError(f"Google gave no lasting access. Remove our access in your account there first. {START_AGAIN}")
    refused = refused_features(grant.scopes)
    if {"mail", "calendar"} <= refused:
        raise InputError(f"Neither mail nor calendar was allowed, so there is nothing to connect. {START_AGAIN}")
    connection = guarded(
        credit.jitter, "the connection", lambda: _store(credit, documents, provider, consent.user_id, grant, refused)
    )
    tasks.create(keep_promise_tasks([_opening(credit, connection)]))
    log.event("connection.made", tenant=credit.store.tenant, connection=connection.connection_id)
    return connection


def _opening(credit: Credit, connection: Connection) -> Promise:
    ids = {"tenant": credit.store.tenant, "mailbox": mailbox_id(connection.account)}
    new = (connection.connection_id, connection.connected_at.isoformat())
    return promise("mailbox_open", ids, connection.connected_at, *new)


def _store(
    credit: Credit, documents: Documents, provider: str, user_id: str, grant: Grant, refused: frozenset[str]
) -> Connection:
    """Connection, credentials, mailbox, own addresses, route and promise, in one commit.

    Written on the documents themselves, because the route lies outside the tenant.
    """
    store, now = credit.store, credit.clock.now()
    connections, mailboxes, users = Connections(store), Mailboxes(store), Users(store)
    id_ = connection_id(provider, user_id)
    connection = Connection(
        connection_id=id_,
        provider=provider,
        user_id=user_id,
        account=normalize(grant.account),
        account_id=grant.account_id,
        scopes=grant.scopes,
        refused=refused,
        status=Status.IMPORTING,
        connected_at=now,
    )
    _require_same_account(connections.find(id_), connection)
    before = connections.credentials(id_)
    assert grant.refresh_token is not None
    credentials = Credentials(
        refresh_token=credit.vault.seal(id_, REFRESH_TOKEN, grant.refresh_token.encode()),
        access_token=credit.vault.seal(id_, ACCESS_TOKEN, grant.access_token.encode()),
        expires_at=grant.expires_at,
        generation=before.value.generation + 1 if before else 1,
    )
    user = users.get(user_id)
    m_id = mailbox_id(grant.account)
    mailbox = mailboxes.find(m_id)
    if mailbox is not None and mailbox.value.user_id != user_id and mailbox.value.status is not Status.DISCONNECTED:
        raise InputError("This mailbox is connected by another user of your organization already.")
    addresses = Addresses(store, Organizations(store).get().index_key)
    own = frozenset(untagged(normalize(address)) for address in (grant.account, user.email, *user.aliases))
    writes: list[Write] = [
        connections.writing(connection),
        connections.writing_credentials(id_, credentials, before.version if before else None),
        _mailbox_write(mailboxes, mailbox, m_id, connection, own, user.viewer),
        *(addresses.adding(Known(address, "user", user_id)) for address in sorted(own)),
        Outbox(store).creating(_opening(credit, connection)),
        Audit(store).recording(user_id, "connection.made", id_, now),
    ]
    route = adding_route("gmail", normalize(grant.account), Target(store.tenant, m_id))
    documents.commit([*store.absolute(writes), route])
    return connection


def _require_same_account(before: Stored[Connection] | None, connection: Connection) -> None:
    """A connection is one account's: under another's tokens its mailbox would read a stranger's mail."""
    if before is not None and before.value.account_id != connection.account_id:
        raise InputError(
            f"You connected {before.value.account} before. Choose that account, or disconnect it first and try again."
        )


def _mailbox_write(
    mailboxes: Mailboxes,
    before: Stored[MailboxRecord] | None,
    id_: str,
    connection: Connection,
    own: frozenset[str],
    viewer: Viewer,
) -> Write:
    """A new mailbox, or the old one served again: its ledger and cursor go on where they were."""
    if before is None:
        fresh = MailboxRecord(
            mailbox_id=id_,
            address=connection.account,
            viewer=viewer,
            connection_id=connection.connection_id,
            status=Status.IMPORTING,
            own=own,
        )
        return mailboxes.creating(fresh)
    again = replace(
        before.value,
        viewer=viewer,
        connection_id=connection.connection_id,
        status=Status.IMPORTING,
        own=before.value.own | own,
        changed_by=None,
        changed_at=None,
    )
    return mailboxes.updating(again, before.version)


def _state_id(token: str) -> str:
    return digest("oauth-state", token)

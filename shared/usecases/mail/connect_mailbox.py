"""Keep a person's grant to their mail and calendar, and promise what must follow in which order (G1, I2).

The rest has a fixed order: the cursor is pinned, watch and channels are started, and only then the past is read:
whatever arrives meanwhile is in the history after the pin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.connection import Connection, ConsentState, connection_id
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.outbox import Promise, promise
from shared.domain.people import Viewer
from shared.errors import InputError
from shared.ports.documents import Documents, Write
from shared.ports.oauth import Grant
from shared.records.addresses import Addresses
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.records.followups import Outbox
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Users
from shared.records.routes import Target, adding_route
from shared.records.stored import Stored
from shared.usecases.access_token import Credit
from shared.usecases.connect import START_AGAIN, Keep, Kept, sealed_credentials


def mailbox_keeper(documents: Documents, refused_features: Callable[[frozenset[str]], frozenset[str]]) -> Keep:
    """How finish_consent keeps a grant of this kind. refused_features: what was switched off by unticked scopes."""

    def keep(credit: Credit, consent: ConsentState, grant: Grant) -> Kept:
        refused = refused_features(grant.scopes)
        if {"mail", "calendar"} <= refused:
            raise InputError(f"Neither mail nor calendar was allowed, so there is nothing to connect. {START_AGAIN}")
        connection = _store(credit, documents, consent, grant, refused)
        return Kept(connection, (_opening(credit, connection),))

    return keep


def _opening(credit: Credit, connection: Connection) -> Promise:
    ids = {"tenant": credit.store.tenant, "mailbox": mailbox_id(connection.account)}
    new = (connection.connection_id, connection.connected_at.isoformat())
    return promise("mailbox_open", ids, connection.connected_at, *new)


def _store(
    credit: Credit, documents: Documents, consent: ConsentState, grant: Grant, refused: frozenset[str]
) -> Connection:
    """Connection, credentials, mailbox, own addresses, route and promise, in one commit.

    Written on the documents themselves, because the route lies outside the tenant.
    """
    store, now = credit.store, credit.clock.now()
    connections, mailboxes, users = Connections(store), Mailboxes(store), Users(store)
    user_id = consent.user_id
    id_ = connection_id(consent.provider, user_id)
    connection = Connection(
        connection_id=id_,
        provider=consent.provider,
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
    credentials = sealed_credentials(credit, id_, grant, before)
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

"""Keep an administrator's grant for the whole organization: one connection of a provider, whoever made it (R2, Q2, Q8).

Who connects again takes the connection over; what the organization chose for it stays.
"""

from __future__ import annotations

from shared.domain.connection import Connection, ConsentState, connection_id
from shared.domain.mailbox import Status
from shared.domain.outbox import promise
from shared.ports.oauth import Grant
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.records.followups import Outbox
from shared.usecases.access_token import Credit
from shared.usecases.connect import Keep, Kept, sealed_credentials

ORGANIZATION = "organization"


def organization_connection_id(provider: str, account: str = "") -> str:
    """account: the vendor's id where an organization may connect several."""
    return connection_id(provider, f"{ORGANIZATION}:{account}" if account else ORGANIZATION)


def organization_keeper(*, opens: str, by_account: bool = False) -> Keep:
    """opens: the function that goes on, promised in the same commit, with `tenant` and `connection`.

    by_account: each account of the vendor is a connection of its own.
    """

    def keep(credit: Credit, consent: ConsentState, grant: Grant) -> Kept:
        store, now = credit.store, credit.clock.now()
        connections = Connections(store)
        id_ = organization_connection_id(consent.provider, grant.account_id if by_account else "")
        connection = Connection(
            connection_id=id_,
            provider=consent.provider,
            user_id=consent.user_id,
            account=grant.account,
            account_id=grant.account_id,
            scopes=grant.scopes,
            refused=frozenset(),
            status=Status.CONNECTED,
            connected_at=now,
        )
        before = connections.credentials(id_)
        opening = promise(opens, {"tenant": store.tenant, "connection": id_}, now, id_, now.isoformat())
        store.commit(
            [
                connections.writing(connection),
                connections.writing_credentials(
                    id_, sealed_credentials(credit, id_, grant, before), before.version if before else None
                ),
                Outbox(store).creating(opening),
                Audit(store).recording(consent.user_id, "connection.made", id_, now),
            ]
        )
        return Kept(connection, (opening,))

    return keep

"""A ledger or a signing service refuses this connection: say so on it, whichever call it was (G5, I15).

A refresh is not the only way to learn it: keys that sign each request have none, and a role loses a permission while
its tokens go on. Every port of quote to cash is opened through here, so no call meets such a refusal unheard.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from shared.domain.connection import Connection
from shared.domain.mailbox import Status
from shared.errors import AdminActionError, ConnectionRevokedError
from shared.records.connections import Connections
from shared.usecases.access_token import Credit, mark_broken

T = TypeVar("T")


def noting_refusals(port: T, connection: Connection, credit: Callable[[], Credit]) -> T:
    """The port as it is, but a call that ends because a person must act stops the connection and says why.

    connection: as it was when the port was opened; one that was connected anew since is left alone.
    credit: asked for only when there is something to say. The error goes on to the caller.
    """
    return cast(T, _Noting(port, connection, credit))


class _Noting:
    def __init__(self, port: object, connection: Connection, credit: Callable[[], Credit]) -> None:
        self._port = port
        self._opened = connection
        self._credit = credit

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        @wraps(method)
        def noted(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except ConnectionRevokedError as refused:
                self._note(Status.RECONNECT_NEEDED, refused.reason)
                raise
            except AdminActionError as refused:
                self._note(Status.ADMIN_ACTION_NEEDED, refused.reason)
                raise

        return noted

    def _note(self, status: Status, problem: str) -> None:
        credit, id_ = self._credit(), self._opened.connection_id
        now = Connections(credit.store).find(id_)
        if now is not None and now.value.connected_at == self._opened.connected_at:
            mark_broken(credit, id_, status, problem)

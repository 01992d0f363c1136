"""Connections, their sealed credentials and the OAuth flows under way."""

from __future__ import annotations

from shared.domain.connection import Connection, ConsentState, Credentials
from shared.errors import NotFoundError
from shared.ports.documents import ID, Create, Delete, Query, Replace, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

CONNECTION: Kind[Connection] = Kind(Connection)
CREDENTIALS: Kind[Credentials] = Kind(Credentials)
CONSENT_STATE: Kind[ConsentState] = Kind(ConsentState)


class Connections:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self, connection_id: str) -> Stored[Connection]:
        """Raises: NotFoundError."""
        found = self.find(connection_id)
        if found is None:
            raise NotFoundError(f"connection {connection_id} does not exist")
        return found

    def find(self, connection_id: str) -> Stored[Connection] | None:
        return stored(CONNECTION, self._store.get(_path(connection_id)))

    def all(self) -> list[Connection]:
        return [CONNECTION.value(found.fields) for found in self._store.find(Query("connections", order_by=(ID,)))]

    def writing(self, connection: Connection) -> Write:
        """Unguarded: a connect always wins over what was there."""
        return Replace(_path(connection.connection_id), CONNECTION.fields(connection))

    def updating(self, connection: Connection, version: Version) -> Write:
        return Update(_path(connection.connection_id), CONNECTION.fields(connection), version)

    def deleting(self, connection_id: str, version: Version) -> list[Write]:
        """version: of its credentials; a connection that was made anew since is not deleted."""
        return [Delete(_path(connection_id)), Delete(_secret_path(connection_id), version)]

    def credentials(self, connection_id: str) -> Stored[Credentials] | None:
        return stored(CREDENTIALS, self._store.get(_secret_path(connection_id)))

    def writing_credentials(self, connection_id: str, credentials: Credentials, version: Version | None) -> Write:
        """version: of the credentials these replace; None where there were none."""
        fields = CREDENTIALS.fields(credentials)
        path = _secret_path(connection_id)
        return Create(path, fields) if version is None else Update(path, fields, version)


class ConsentStates:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def find(self, state_id: str) -> Stored[ConsentState] | None:
        return stored(CONSENT_STATE, self._store.get(f"oauth_states/{state_id}"))

    def creating(self, state_id: str, state: ConsentState) -> Write:
        return Create(f"oauth_states/{state_id}", CONSENT_STATE.fields(state))

    def using(self, state_id: str, version: Version) -> Write:
        """Guarded: of two callbacks with one state only the first deletes it."""
        return Delete(f"oauth_states/{state_id}", version)


def _path(connection_id: str) -> str:
    return f"connections/{connection_id}"


def _secret_path(connection_id: str) -> str:
    return f"connections/{connection_id}/secret/credentials"

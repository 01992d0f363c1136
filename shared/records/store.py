"""The documents of one tenant: a view that cannot name another tenant's documents (R1, I27)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from shared.errors import AlreadyExistsError, ContendedError, StaleWriteError
from shared.ports.documents import ID, Document, Documents, Query, Version, Write
from shared.ports.time import Jitter

T = TypeVar("T")

RACES_AT_MOST = 10


class TenantStore:
    """Documents below `tenants/{tenant}/`, by their paths below it."""

    asked_from = ""
    """The address of the person on whose request this store was opened, for the audit log."""

    def __init__(self, documents: Documents, tenant: str) -> None:
        if not tenant or "/" in tenant:
            raise ValueError("a tenant's id is one path segment")
        self.tenant = tenant
        self._documents = documents
        self._prefix = f"tenants/{tenant}/"

    def asked_by(self, address: str) -> TenantStore:
        """The same documents, for work on a person's request."""
        store = TenantStore(self._documents, self.tenant)
        store.asked_from = address
        return store

    def get(self, path: str) -> Document | None:
        return self._inside(self._documents.get(self._prefix + path))

    def get_all(self, paths: Sequence[str]) -> list[Document | None]:
        return [self._inside(document) for document in self._documents.get_all([self._prefix + path for path in paths])]

    def find(self, query: Query) -> list[Document]:
        """Queries of a collection below the tenant; groups would leave it and are refused."""
        found = self._documents.find(self._outside(query))
        return [replace(document, path=document.path.removeprefix(self._prefix)) for document in found]

    def count(self, query: Query) -> int:
        return self._documents.count(self._outside(query))

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        return self._documents.commit(self.absolute(writes))

    def absolute(self, writes: Sequence[Write]) -> list[Write]:
        """The writes as the documents port takes them, for a commit that also writes a route."""
        return [replace(write, path=self._prefix + write.path) for write in writes]

    def _outside(self, query: Query) -> Query:
        if query.group:
            raise ValueError("a tenant's store answers no collection-group query")
        start = query.start_after
        if start is not None:  # a page's start names a document by its path, which lies below the tenant as well
            names = [name.removeprefix("-") for name in query.order_by]
            values = zip(names, start, strict=True)
            start = tuple(self._prefix + value if name == ID else value for name, value in values)
        return replace(query, collection=self._prefix + query.collection, start_after=start)

    def _inside(self, document: Document | None) -> Document | None:
        return replace(document, path=document.path.removeprefix(self._prefix)) if document else None


def guarded(jitter: Jitter, what: str, attempt: Callable[[], T]) -> T:
    """Run a read-decide-write until nobody wrote in between.

    `attempt` reads, decides and commits guarded writes. Raises: ContendedError after RACES_AT_MOST lost races.
    """
    for race in range(RACES_AT_MOST):
        try:
            return attempt()
        except (StaleWriteError, AlreadyExistsError):
            jitter.wait(race)
    raise ContendedError(f"{what} is contended")

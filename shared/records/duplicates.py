"""Notices of contacts that share an address."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.duplicate import DuplicateNotice
from shared.errors import NotFoundError
from shared.ports.documents import ID, Conditions, Create, Delete, Query, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

DUPLICATE: Kind[DuplicateNotice] = Kind(DuplicateNotice)


class Duplicates:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self, notice_id: str) -> Stored[DuplicateNotice]:
        """Raises: NotFoundError."""
        found = stored(DUPLICATE, self._store.get(f"duplicates/{notice_id}"))
        if found is None:
            raise NotFoundError(f"duplicate notice {notice_id} does not exist")
        return found

    def known(self, notice_ids: Sequence[str]) -> frozenset[str]:
        """Which of these were made, whatever became of them."""
        found = self._store.get_all([f"duplicates/{notice_id}" for notice_id in notice_ids])
        return frozenset(document.id for document in found if document)

    def open(self, *, after: str | None, limit: int) -> list[DuplicateNotice]:
        """Those nobody dismissed, in id order."""
        start = (f"duplicates/{after}",) if after else None
        query = Query("duplicates", where=(("open", "==", True),), order_by=(ID,), limit=limit, start_after=start)
        return [DUPLICATE.value(document.fields) for document in self._store.find(query)]

    def of_contact(self, contact_id: str) -> list[DuplicateNotice]:
        where: Conditions = (("contact_ids", "array_contains", contact_id),)
        return [DUPLICATE.value(found.fields) for found in self._store.find(Query("duplicates", where=where))]

    def creating(self, notice: DuplicateNotice) -> Write:
        return Create(f"duplicates/{notice.notice_id}", DUPLICATE.fields(notice))

    def updating(self, notice: DuplicateNotice, version: Version) -> Write:
        return Update(f"duplicates/{notice.notice_id}", DUPLICATE.fields(notice), version)

    def forgetting(self, notice: DuplicateNotice) -> Write:
        return Delete(f"duplicates/{notice.notice_id}")

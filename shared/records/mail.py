"""Messages, threads and timeline entries of a tenant (D4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.message import LoggedMessage
from shared.domain.threads import Summary, Thread
from shared.domain.timeline import Entry
from shared.errors import NotFoundError
from shared.ports.documents import ID, Conditions, Create, Delete, Query, Replace, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

MESSAGE: Kind[LoggedMessage] = Kind(LoggedMessage)
THREAD: Kind[Thread] = Kind(Thread)
SUMMARY: Kind[Summary] = Kind(Summary)
ENTRY: Kind[Entry] = Kind(Entry)


class Messages:
    """Rows below `base`: "" for the organization's, "users/{u}/" for a user's own record."""

    def __init__(self, store: TenantStore, base: str = "") -> None:
        self._store = store
        self._collection = f"{base}messages"

    def path(self, message_id: str) -> str:
        return f"{self._collection}/{message_id}"

    def find(self, message_id: str) -> Stored[LoggedMessage] | None:
        return stored(MESSAGE, self._store.get(self.path(message_id)))

    def get(self, message_id: str) -> Stored[LoggedMessage]:
        """Raises: NotFoundError."""
        found = self.find(message_id)
        if found is None:
            raise NotFoundError(f"message {message_id} does not exist")
        return found

    def get_all(self, message_ids: Sequence[str]) -> list[Stored[LoggedMessage]]:
        documents = self._store.get_all([self.path(message_id) for message_id in message_ids])
        return [found for document in documents if (found := stored(MESSAGE, document))]

    def of_participant(self, participant_key: str, *, after: str | None, limit: int) -> list[Stored[LoggedMessage]]:
        """Messages somebody took part in, in id order (R7)."""
        start = (self.path(after),) if after else None
        where: Conditions = (("participant_keys", "array_contains", participant_key),)
        return self._find(Query(self._collection, where=where, order_by=(ID,), limit=limit, start_after=start))

    def newest_of_contact(self, contact_id: str, *, direction: str | None) -> LoggedMessage | None:
        where: Conditions = (("contact_ids", "array_contains", contact_id), ("hidden_at", "==", None))
        if direction:
            where = (*where, ("direction", "==", direction))
        found = self._find(Query(self._collection, where=where, order_by=("-sent_at",), limit=1))
        return found[0].value if found else None

    def count_of_contact(self, contact_id: str, *, since: datetime | None = None) -> int:
        where: Conditions = (("contact_ids", "array_contains", contact_id), ("hidden_at", "==", None))
        if since is not None:
            where = (*where, ("sent_at", ">=", since))
        return self._store.count(Query(self._collection, where=where))

    def creating(self, message: LoggedMessage) -> Write:
        return Create(self.path(message.message_id), MESSAGE.fields(message))

    def updating(self, message: LoggedMessage, version: Version) -> Write:
        return Update(self.path(message.message_id), MESSAGE.fields(message), version)

    def deleting(self, message_id: str, version: Version) -> Write:
        return Delete(self.path(message_id), version)

    def _find(self, query: Query) -> list[Stored[LoggedMessage]]:
        return [Stored(MESSAGE.value(found.fields), found.version) for found in self._store.find(query)]


class Threads:
    """Rows below `base`, as in Messages."""

    def __init__(self, store: TenantStore, base: str = "") -> None:
        self._store = store
        self._collection = f"{base}threads"

    def path(self, thread_id: str) -> str:
        return f"{self._collection}/{thread_id}"

    def find(self, thread_id: str) -> Stored[Thread] | None:
        return stored(THREAD, self._store.get(self.path(thread_id)))

    def find_all(self, thread_ids: Sequence[str]) -> dict[str, Stored[Thread]]:
        documents = self._store.get_all([self.path(thread_id) for thread_id in thread_ids])
        return {found.value.thread_id: found for document in documents if (found := stored(THREAD, document))}

    def creating(self, thread: Thread) -> Write:
        return Create(self.path(thread.thread_id), THREAD.fields(thread))

    def updating(self, thread: Thread, version: Version) -> Write:
        return Update(self.path(thread.thread_id), THREAD.fields(thread), version)


class Timelines:
    """Timelines of contacts (`contacts/{c}/timeline`), companies and deals, and of users' own records."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def path(self, owner: str, entry_id: str) -> str:
        """owner: as one of the functions below names it."""
        return f"{owner}/timeline/{entry_id}"

    def find(self, owner: str, entry_id: str) -> Stored[Entry] | None:
        return stored(ENTRY, self._store.get(self.path(owner, entry_id)))

    def page(self, owner: str, *, before: tuple[datetime, str] | None, limit: int) -> list[Entry]:
        """Entries newest first; `before` is the last one's (at, id). One query."""
        start = (before[0], self.path(owner, before[1])) if before else None
        query = Query(f"{owner}/timeline", order_by=("-at", f"-{ID}"), limit=limit, start_after=start)
        return [ENTRY.value(found.fields) for found in self._store.find(query)]

    def writing(self, owner: str, entry: Entry) -> Write:
        """The whole entry as rebuilt from its thread, meeting or step, in the commit that changed that."""
        return Replace(self.path(owner, entry.entry_id), ENTRY.fields(entry))

    def deleting(self, owner: str, entry_id: str) -> Write:
        return Delete(self.path(owner, entry_id))


def contact_owner(contact_id: str) -> str:
    return f"contacts/{contact_id}"


def company_owner(company_id: str) -> str:
    return f"companies/{company_id}"


def deal_owner(deal_id: str) -> str:
    return f"opportunities/{deal_id}"


def user_owner(user_id: str) -> str:
    return f"users/{user_id}"

"""Where messages lie: the organization's records or one user's own, their threads and the timelines built of them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.threads import Summary, Thread
from shared.domain.timeline import mail_entry
from shared.domain.values import dataclass
from shared.errors import ContendedError, NotFoundError
from shared.ports.documents import Write
from shared.records.mail import Messages, Threads, Timelines, contact_owner, user_owner
from shared.records.store import TenantStore
from shared.records.stored import Stored

REDIRECTS_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages are posted: the organization's records, or one user's own record."""

    store: TenantStore
    user_id: str | None = None

    @property
    def base(self) -> str:
        return f"users/{self.user_id}/" if self.user_id else ""

    @property
    def messages(self) -> Messages:
        return Messages(self.store, self.base)

    @property
    def threads(self) -> Threads:
        return Threads(self.store, self.base)

    @property
    def blob_prefix(self) -> str:
        return f"{self.store.tenant}/{self.base}messages"

    def owners(self, contact_ids: Sequence[str]) -> list[str]:
        """The timelines a message with these contacts stands on."""
        return [user_owner(self.user_id)] if self.user_id else [contact_owner(contact_id) for contact_id in contact_ids]

    def entries(self, thread: Thread, owners: Sequence[str]) -> list[Write]:
        """The conversation's entry on each of these timelines, as the thread now stands."""
        timelines = Timelines(self.store)
        writes: list[Write] = []
        for owner in owners:
            part = thread if self.user_id else thread.of_contact(owner.removeprefix("contacts/"))
            entry = mail_entry(part)
            writes.append(timelines.writing(owner, entry) if entry else timelines.deleting(owner, thread.thread_id))
        return writes


@dataclass(frozen=True, slots=True)
class Touched:
    """Threads a message touches. live: those that hold messages. ids: of all that exist, redirects included."""

    live: dict[str, Stored[Thread]]
    ids: frozenset[str]

    @property
    def summaries(self) -> dict[str, Summary]:
        return {id_: kept for stored in self.live.values() for id_, kept in stored.value.messages.items()}

    def also(self, other: Touched) -> Touched:
        return Touched({**self.live, **other.live}, self.ids | other.ids)


def live_threads(place: Place, thread_ids: list[str]) -> Touched:
    """The named threads, redirects followed to where they lead."""
    live: dict[str, Stored[Thread]] = {}
    ids: set[str] = set()
    wanted = thread_ids
    for _ in range(REDIRECTS_AT_MOST):
        found = place.threads.find_all(wanted)
        ids |= set(found)
        live |= {id_: stored for id_, stored in found.items() if stored.value.merged_into is None}
        wanted = [stored.value.merged_into for stored in found.values() if stored.value.merged_into is not None]
        if not wanted:
            return Touched(live, frozenset(ids))
    raise ContendedError("threads redirect to one another")


def live_thread(place: Place, thread_id: str) -> Stored[Thread]:
    """The thread, or the one that took it over. Raises: NotFoundError."""
    found = list(live_threads(place, [thread_id]).live.values())
    if not found:
        raise NotFoundError(f"thread {thread_id} does not exist")
    return found[0]

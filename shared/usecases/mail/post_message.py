"""Put a message on the timelines it belongs to, exactly once, in one commit (D4, I9, I10).

create() of the message's row is the lock: it makes the contact's increments exactly-once. Where the row is there
already, another mailbox's copy (or our own lost reply) was first, and this copy only adds its holder to the readers.
Everything built from the thread is guarded by the thread's version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shared.domain.ledger import SeenRow, utc_day
from shared.domain.mail.body import MailBody
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail_rules import Direction, Logged, OwnRecord
from shared.domain.message import LoggedMessage, logged_message, message_key, summary_of
from shared.domain.outbox import Promise, promise
from shared.domain.settings import Share
from shared.domain.threads import (
    Summary,
    Thread,
    message_row_id,
    new_thread,
    older_of,
    origin_of,
    reused_row_id,
    thread_links,
)
from shared.domain.timeline import mail_entry
from shared.domain.visibility import reader_key
from shared.errors import AlreadyExistsError, ContendedError, NotFoundError
from shared.ports import Write
from shared.records.followups import Outbox
from shared.records.mail import Messages, Threads, Timelines, contact_owner, user_owner
from shared.records.mailboxes import Stored
from shared.records.people import Contacts
from shared.records.store import TenantStore, guarded
from shared.usecases.mail.decide_mail import Desk
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.promises import keep_promise_tasks

ReadBody = Callable[[], MailBody]
"""Fetches the body; called only where this copy is the first."""

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


@dataclass(frozen=True, slots=True)
class Copy:
    """One mailbox's copy of a message that was decided to be posted."""

    row: Stored[SeenRow]
    headers: MailHeaders
    decision: Logged | OwnRecord
    desk: Desk

    @property
    def reader(self) -> str:
        """An own record is read by its user alone, in full."""
        share = Share.FULL if isinstance(self.decision, OwnRecord) else self.desk.mailbox.options.share
        return reader_key(self.desk.mailbox.user_id, share)

    @property
    def contact_ids(self) -> tuple[str, ...]:
        return tuple(self.decision.contacts) if isinstance(self.decision, Logged) else ()

    @property
    def company_ids(self) -> tuple[str, ...]:
        return self.decision.company_ids if isinstance(self.decision, Logged) else ()


def place_of(copy: Copy, store: TenantStore) -> Place:
    return Place(store, copy.desk.mailbox.user_id if isinstance(copy.decision, OwnRecord) else None)


def post_message(served: ServedMailbox, copy: Copy, read_body: ReadBody) -> None:
    """Post this copy, or add its holder where the message is here already.

    Raises: whatever `read_body` raises; ContendedError after too many lost races.
    """
    posting = _Posting(served, copy, read_body)
    guarded(served.jitter, f"message {copy.row.value.gmail_id}", posting.attempt)
    served.tasks.create(keep_promise_tasks(posting.promised))


class _Posting:
    """One copy on its way; `attempt` is run again after a lost race, with everything it read before read anew."""

    def __init__(self, served: ServedMailbox, copy: Copy, read_body: ReadBody) -> None:
        own_record = isinstance(copy.decision, OwnRecord)
        self._served = served
        self._copy = copy
        self._place = Place(served.store, copy.desk.mailbox.user_id if own_record else None)
        self._read_body = read_body
        self._body: MailBody | None = None
        self._row: Stored[SeenRow] | None = copy.row
        self.promised: list[Promise] = []

    def attempt(self) -> None:
        row = self._row or self._served.seen.get(self._copy.row.value.gmail_id)
        self._row = None
        if row is None or row.version != self._copy.row.version:
            return  # the row was queued anew, or settled by another run of this task: this one is over
        message_id, touched = self._find()
        if message_id in touched.summaries:
            self._add_holder(message_id)
        else:
            self._post_first(message_id, touched)

    # ------------------------------------------------------------------------------------------- where it belongs

    def _find(self) -> tuple[str, Touched]:
        """The message's row id, and the threads it touches.

        A message with the same Message-ID but another sender or date is another message (D4).
        """
        headers, place = self._copy.headers, self._place
        message_id = message_row_id(headers)
        links = thread_links(headers, message_id)
        touched = live_threads(place, list(dict.fromkeys((links.home, links.own))))
        summaries = touched.summaries
        if links.parent is not None and links.parent not in summaries:
            parent = place.messages.find(links.parent)
            if parent is not None:
                touched = touched.also(live_threads(place, [parent.value.thread_id]))
        known = summaries.get(message_id)
        if known is not None and known.origin != origin_of(headers):
            message_id = reused_row_id(headers)
        return message_id, touched

    # --------------------------------------------------------------------------------------------- the first copy

    def _post_first(self, message_id: str, touched: Touched) -> None:
        try:
            self._create(message_id, touched)
        except AlreadyExistsError:
            found = self._place.messages.find(message_id)
            if found is None:
                raise  # it was a thread that somebody else began: read again
            reused = reused_row_id(self._copy.headers)
            if found.value.origin == origin_of(self._copy.headers):
                self._add_holder(message_id)
            elif self._place.messages.find(reused) is not None:
                self._add_holder(reused)
            else:
                self._create(reused, touched)

    def _create(self, message_id: str, touched: Touched) -> None:
        copy, place, served = self._copy, self._place, self._served
        home = thread_links(copy.headers, message_id).home
        begun = [] if home in touched.ids else [new_thread(home, copy.headers.internal_at)]
        winner = older_of([*(stored.value for stored in touched.live.values()), *begun])
        message = self._message(message_id, winner.thread_id)
        thread = winner.with_message(summary_of(message))
        self._store_long_body(message)
        incoming = message.direction is Direction.INCOMING
        contacts = Contacts(served.store)
        served.store.commit(
            [
                place.messages.creating(message),
                *self._thread_writes(thread, begun, touched),
                *place.entries(thread, place.owners(message.contact_ids)),
                *(contacts.adding_mail(id_, message.sent_at, incoming=incoming) for id_ in message.contact_ids),
                self._row_write(message_id),
            ]
        )
        served.log("message.logged", message=message_id, thread=thread.thread_id)

    def _message(self, message_id: str, thread_id: str) -> LoggedMessage:
        copy = self._copy
        if self._body is None:
            self._body = self._read_body()
        return logged_message(
            copy.headers,
            self._body,
            message_id=message_id,
            thread_id=thread_id,
            direction=copy.decision.direction,
            contact_ids=copy.contact_ids,
            company_ids=copy.company_ids,
            readers=(copy.reader,),
            index_key=copy.desk.organization.index_key,
            blob_prefix=self._place.blob_prefix,
        )

    def _store_long_body(self, message: LoggedMessage) -> None:
        """Before the commit that names them: a blob nobody names is harmless, a name without a blob is a hole."""
        assert self._body is not None
        if message.text_blob:
            self._served.blobs.put(message.text_blob, self._body.text.encode(), "text/plain; charset=utf-8")
        if message.html_blob and self._body.html:
            self._served.blobs.put(message.html_blob, self._body.html.encode(), "text/html; charset=utf-8")

    def _thread_writes(self, thread: Thread, begun: list[Thread], touched: Touched) -> list[Write]:
        """The thread with its new message. Other threads the message touches redirect to it from now on, and a task
        promised in the same commit moves their messages."""
        repository = self._place.threads
        kept = touched.live.get(thread.thread_id)
        writes = [repository.updating(thread, kept.version) if kept else repository.creating(thread)]
        others = [new for new in begun if new.thread_id != thread.thread_id]
        writes += [repository.creating(replace(new, merged_into=thread.thread_id)) for new in others]
        losers = [stored for id_, stored in touched.live.items() if id_ != thread.thread_id]
        for loser in losers:
            writes.append(repository.updating(replace(loser.value, merged_into=thread.thread_id), loser.version))
        self.promised = [self._join(loser.value.thread_id, thread.thread_id) for loser in losers]
        return writes + [Outbox(self._served.store).creating(promised) for promised in self.promised]

    def _join(self, loser: str, winner: str) -> Promise:
        ids = {"tenant": self._served.store.tenant, "user": self._place.user_id or "", "loser": loser, "winner": winner}
        return promise("thread_join", ids, self._served.clock.now(), self._place.base, loser, winner)

    # ------------------------------------------------------------------------------------------- one more holder

    def _add_holder(self, message_id: str) -> None:
        """This mailbox's copy of a message that is here: readers grow, and the contacts this holder alone may see."""
        copy, place, served = self._copy, self._place, self._served
        stored = place.messages.get(message_id)
        message = stored.value
        thread = live_thread(place, message.thread_id)
        newly = tuple(id_ for id_ in copy.contact_ids if id_ not in message.contact_ids)
        counted = newly if message.hidden_at is None else (*message.contact_ids, *newly)
        companies = tuple(dict.fromkeys((*message.company_ids, *copy.company_ids)))
        after = replace(
            message,
            readers=tuple(dict.fromkeys((*message.readers, copy.reader))),
            contact_ids=(*message.contact_ids, *newly),
            company_ids=companies,
            hidden_at=None,
            expires_at=None,
        )
        rebuilt = thread.value.with_changed(summary_of(after))
        contacts = Contacts(served.store)
        incoming = after.direction is Direction.INCOMING
        writes: list[Write] = [
            place.messages.updating(after, stored.version),
            place.threads.updating(rebuilt, thread.version),
            *place.entries(rebuilt, place.owners(after.contact_ids)),
            *(contacts.adding_mail(id_, after.sent_at, incoming=incoming) for id_ in counted),
            self._row_write(message_id),
        ]
        served.store.commit(writes)
        served.log("holder.added", message=message_id)

    def _row_write(self, message_id: str) -> Write:
        copy = self._copy
        row = copy.row.value.logged(
            message_id,
            message_key(copy.desk.organization.index_key, copy.headers),
            utc_day(copy.headers.internal_at),
            own_record=self._place.user_id is not None,
        )
        return self._served.seen.updating(row, copy.row.version)


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

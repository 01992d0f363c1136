"""Put a message on the timelines it belongs to, exactly once, in one commit (D4, I9, I10).

create() of the message's row is the lock: it makes the contact's increments exactly-once. Where the row is there
already, another mailbox's copy (or our own lost reply) was first, and this copy only adds its holder to the readers.
Everything built from the thread is guarded by the thread's version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from shared.domain.ledger import SeenRow, utc_day
from shared.domain.mail.body import MailBody
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail_rules import Direction, Logged, OwnRecord
from shared.domain.message import LoggedMessage, logged_message, message_key, summary_of
from shared.domain.outbox import Promise, promise
from shared.domain.settings import Share
from shared.domain.threads import (
    Thread,
    message_row_id,
    new_thread,
    older_of,
    origin_of,
    reused_row_id,
    thread_links,
)
from shared.domain.values import dataclass
from shared.domain.visibility import reader_key
from shared.errors import AlreadyExistsError, ContendedError, StaleWriteError
from shared.ports.documents import Write
from shared.records.followups import Outbox
from shared.records.people import Contacts
from shared.records.store import guarded
from shared.records.stored import Stored
from shared.usecases.mail.decide_mail import Desk
from shared.usecases.mail.place import Place, Touched, live_thread, live_threads
from shared.usecases.mail.remove_holder import refresh_promise, removal
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.promises import keep_promise_tasks

ReadBody = Callable[[], MailBody]
"""Fetches the body; called only where this copy is the first."""


SECOND_LOOK_AFTER = timedelta(seconds=21)
"""Longer than a worker takes from reading a thread to its commit: a body is there within 20 s, or not at all."""

ERASING_AT_MOST = timedelta(minutes=15)
"""Longer than the function that erases may run."""


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
        self._unseen_parent: str | None = None
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
            self._unseen_parent = links.parent if parent is None else None
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
        self.promised = []
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
                *self._thread_writes(message_id, thread, begun, touched),
                *place.entries(thread, place.owners(message.contact_ids)),
                *(contacts.adding_mail(id_, message.sent_at, incoming=incoming) for id_ in message.contact_ids),
                *self._settling(message_id),
            ]
        )
        self._log("message.logged", message_id=message_id, thread=thread.thread_id)

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

    def _thread_writes(self, message_id: str, thread: Thread, begun: list[Thread], touched: Touched) -> list[Write]:
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
        self.promised += [self._join(loser.value.thread_id, thread.thread_id) for loser in losers]
        if self._unseen_parent is not None:
            self.promised.append(self._second_look(message_id, self._unseen_parent))
        return writes

    def _join(self, loser: str, winner: str) -> Promise:
        ids = {"tenant": self._served.store.tenant, "user": self._place.user_id or "", "loser": loser, "winner": winner}
        return promise("thread_join", ids, self._served.clock.now(), self._place.base, loser, winner)

    def _second_look(self, message_id: str, parent: str) -> Promise:
        """The message it answers may be on its way in another worker: neither sees the other before both are here. So
        somebody looks again when that worker has ended."""
        ids = {
            "tenant": self._served.store.tenant,
            "user": self._place.user_id or "",
            "message": message_id,
            "parent": parent,
        }
        return promise("thread_join", ids, self._served.clock.now() + SECOND_LOOK_AFTER, self._place.base, message_id)

    # ------------------------------------------------------------------------------------------- one more holder

    def _add_holder(self, message_id: str) -> None:
        """This mailbox's copy of a message that is here: readers grow, and the contacts this holder alone may see.

        The copy may also tell more than the first one did: that its sender is one of us.
        """
        self.promised = []
        copy, place, served = self._copy, self._place, self._served
        stored = place.messages.find(message_id)
        if stored is None:
            raise StaleWriteError("it was erased since its thread was read")
        message = stored.value
        if message.erasing_at is not None:
            self._wait_for_erasure(message, message.erasing_at)
        sent = Direction.OUTGOING in (message.direction, copy.decision.direction)
        thread = live_thread(place, message.thread_id)
        newly = tuple(id_ for id_ in copy.contact_ids if id_ not in message.contact_ids)
        counted = newly if message.hidden_at is None else (*message.contact_ids, *newly)
        companies = tuple(dict.fromkeys((*message.company_ids, *copy.company_ids)))
        after = replace(
            message,
            direction=Direction.OUTGOING if sent else Direction.INCOMING,
            readers=tuple(dict.fromkeys((*message.readers, copy.reader))),
            contact_ids=(*message.contact_ids, *newly),
            company_ids=companies,
            hidden_at=None,
            expires_at=None,
        )
        rebuilt = thread.value.with_changed(summary_of(after))
        contacts = Contacts(served.store)
        incoming = after.direction is Direction.INCOMING
        if after.direction is not message.direction:
            self.promised += [refresh_promise(served, id_, copy.row.value) for id_ in after.contact_ids]
        writes: list[Write] = [
            place.messages.updating(after, stored.version),
            place.threads.updating(rebuilt, thread.version),
            *place.entries(rebuilt, place.owners(after.contact_ids)),
            *(contacts.adding_mail(id_, after.sent_at, incoming=incoming) for id_ in counted),
            *self._settling(message_id),
        ]
        served.store.commit(writes)
        self._log("holder.added", message_id=message_id)

    def _log(self, event: str, **ids: str) -> None:
        """What lies in an own record is not named: the same ids beside another mailbox would tell who got a Bcc."""
        self._served.log(event, **({} if self._place.user_id else ids))

    def _wait_for_erasure(self, message: LoggedMessage, began_at: datetime) -> NoReturn:
        """Then this copy is the first one again. An erasure that died is finished here."""
        from shared.usecases.mail.erase_hidden import erase_message  # late: hardly any copy comes here

        served = self._served
        if served.clock.now() - began_at < ERASING_AT_MOST:
            raise ContendedError(f"message {message.message_id} is being erased")
        erase_message(self._place, message.message_id, blobs=served.blobs, clock=served.clock, jitter=served.jitter)
        raise StaleWriteError("it was erased since its thread was read")

    def _settling(self, message_id: str) -> list[Write]:
        """The row's outcome and the promises of the commit. A copy that lay in the other place leaves it with this."""
        copy, served = self._copy, self._served
        leaving: list[Write] = []
        if copy.row.value.own_record != (self._place.user_id is not None):
            leaving, figures = removal(served, copy.row.value, copy.desk.mailbox.user_id)
            self.promised += figures
        outbox = Outbox(served.store)
        return [*leaving, self._row_write(message_id), *(outbox.creating(promised) for promised in self.promised)]

    def _row_write(self, message_id: str) -> Write:
        copy = self._copy
        row = copy.row.value.logged(
            message_id,
            message_key(copy.desk.organization.index_key, copy.headers),
            utc_day(copy.headers.internal_at),
            own_record=self._place.user_id is not None,
        )
        return self._served.seen.updating(row, copy.row.version)

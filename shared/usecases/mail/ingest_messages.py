"""Read queued messages and post, leave out or quarantine each (G9-G16, I4, I9-I11, D2).

Headers first: the body of a message that is left out is never fetched, and of one that another mailbox brought it is
here already. Each message settles in a commit of its own, so one that cannot be read stops nobody else's; nor does one
that makes our own code stumble, from its task's third attempt on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from shared import log
from shared.domain.backfill import Group, Wanted
from shared.domain.ledger import SeenRow, State, Wish, utc_day
from shared.domain.mail.body import MailBody
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail_rules import Decision, LeftOut
from shared.domain.message import message_key
from shared.domain.threads import message_row_id, origin_of
from shared.domain.values import dataclass
from shared.errors import (
    AdminActionError,
    AppError,
    ConnectionRevokedError,
    NotFoundError,
    PayloadError,
    PermanentError,
    RateLimitedError,
    RetryableError,
    StaleWriteError,
)
from shared.ports.mailbox import FullMessage, PermanentFailure
from shared.records.mail import Messages
from shared.records.stored import Stored
from shared.usecases.mail.decide_mail import Desk, decide_all, open_desk
from shared.usecases.mail.post_message import Copy, post_message
from shared.usecases.mail.quarantine_message import quarantine_message
from shared.usecases.mail.read_mail import HeadersRead, bodies_of_thread, read_headers
from shared.usecases.mail.remove_holder import remove_holder
from shared.usecases.mail.served import ServedMailbox

STOPS_EVERYTHING = (ConnectionRevokedError, AdminActionError)
"""These concern the mailbox, not a message: the rows stay queued until a person has acted."""

ALONE_FROM_ATTEMPT = 2
"""Attempts before this one: the third works one by one where the two before it crashed. A bug that met one message by
chance is gone by then; one that stays costs that message, not its neighbours."""

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """A queued row as its task names it; another revision is another task's work."""

    gmail_id: str
    rev: int


def ingest_messages(served: ServedMailbox, items: Sequence[Item], *, attempt: int = 0) -> None:
    """Settle the rows. attempt: attempts of this task before this one.

    Raises: the RetryableError of a message that could not be settled, after all others were; before
    ALONE_FROM_ATTEMPT also a bug's own error.
    """
    desk = open_desk(served.store, served.mailbox_id)
    if not desk.mailbox.served:
        return
    due = due_rows(served, items)
    ingest = Ingest(served, desk)
    try:
        try:
            ingest.work_on(due)
        except AppError:
            raise
        except Exception:
            if attempt < ALONE_FROM_ATTEMPT:
                raise
            ingest.work_on_each(due_rows(served, items))
        ingest.raise_unsettled()
    except RateLimitedError as limited:
        served.budget.block(limited.resume_at)
        _postpone(served, due, limited.resume_at)
        raise
    except RetryableError:
        _postpone(served, due, served.clock.now())
        raise


def _postpone(served: ServedMailbox, rows: Sequence[Stored[SeenRow]], until: datetime) -> None:
    """The task of these comes again by its queue, so the poll must not take it for lost (I4)."""
    for row in rows:
        with suppress(StaleWriteError):  # settled by now, or queued anew
            served.store.commit([served.seen.updating(row.value.postponed(until), row.version)])


def due_rows(served: ServedMailbox, items: Sequence[Item]) -> list[Stored[SeenRow]]:
    """The rows that are still queued at the revision their task was made for."""
    rows = served.seen.get_all([item.gmail_id for item in items])
    return [
        row
        for item in items
        if (row := rows.get(item.gmail_id)) and row.value.state is State.QUEUED and row.value.rev == item.rev
    ]


class Ingest:
    """One run over a few rows of one mailbox."""

    def __init__(self, served: ServedMailbox, desk: Desk) -> None:
        self._served = served
        self._desk = desk
        self._unsettled: RetryableError | None = None

    def work_on(self, rows: Sequence[Stored[SeenRow]]) -> None:
        """Rows of one task, each for what is wished of it."""
        for row in rows:
            if row.value.wish is Wish.REMOVE:
                self.settle(row, self.removal(row, row.value.gone()))
        reading = [row for row in rows if row.value.wish is Wish.READ]
        if reading:
            self.read(reading)

    def work_on_each(self, rows: Sequence[Stored[SeenRow]]) -> None:
        """Each row by itself; the one that our code stumbles over is parked, so that it stops no other."""
        for row in rows:
            try:
                self.work_on([row])
            except AppError:
                raise
            except Exception as bug:
                log.exception("message.stumbled_over", bug, gmail_id=row.value.gmail_id)
                quarantine_message(self._served, row, f"our code failed on it: {type(bug).__name__}")

    def settle(self, row: Stored[SeenRow], work: Callable[[], None]) -> None:
        """Run the work of one row: what cannot be done is quarantined, what failed for now is kept for the end."""
        try:
            work()
        except STOPS_EVERYTHING:
            raise
        except RateLimitedError:
            raise
        except RetryableError as failed:
            self._unsettled = failed
        except PermanentError as failed:
            quarantine_message(self._served, row, f"{type(failed).__name__}: {failed}")

    def raise_unsettled(self) -> None:
        if self._unsettled is not None:
            raise self._unsettled

    def read(self, rows: Sequence[Stored[SeenRow]]) -> None:
        """Rows of one message, or of one thread."""
        group = Group(tuple(Wanted(row.value.gmail_id, row.value.gmail_thread_id) for row in rows))
        if all(row.value.headers_passed for row in rows):
            self._read_whole(rows, group)
            return
        try:
            read = read_headers(self._served.gmail, [group])
        except PayloadError as unreadable:
            self._one_by_one(rows, unreadable)
            return
        self.settle_all(rows, read.headers, self._bodies_by_thread(group, read))

    def _one_by_one(self, rows: Sequence[Stored[SeenRow]], unreadable: PayloadError) -> None:
        """One of these has headers nobody can read: alone it is parked, with others each is read by itself."""
        if len(rows) == 1:
            quarantine_message(self._served, rows[0], f"PayloadError: {unreadable}")
            return
        for row in rows:
            self.read([row])

    def _read_whole(self, rows: Sequence[Stored[SeenRow]], group: Group) -> None:
        """A page read the headers already and wants these logged: fetch them whole and decide once more."""
        if group.through_thread:
            found = bodies_of_thread(self._served.gmail, group.messages[0].gmail_thread_id)
        else:
            found = {row.value.gmail_id: message for row in rows if (message := self._whole(row))}
        headers = {id_: full.headers for id_, full in found.items() if isinstance(full, FullMessage)}
        for row in rows:
            failure = found.get(row.value.gmail_id)
            if isinstance(failure, PermanentFailure):
                quarantine_message(self._served, row, f"PayloadError: {failure.reason}")
        readable = [row for row in rows if not isinstance(found.get(row.value.gmail_id), PermanentFailure)]
        self.settle_all(readable, {row.value.gmail_id: headers.get(row.value.gmail_id) for row in readable}, found)

    def _whole(self, row: Stored[SeenRow]) -> FullMessage | PermanentFailure | None:
        try:
            return self._served.gmail.message(row.value.gmail_id)
        except NotFoundError:
            return None
        except PayloadError as unreadable:
            return PermanentFailure(row.value.gmail_id, str(unreadable))

    def _bodies_by_thread(self, group: Group, read: HeadersRead) -> Mapping[str, FullMessage | PermanentFailure]:
        """The bodies of a thread all of whose messages will be logged, here for the first time; else none."""
        thread_id = group.messages[0].gmail_thread_id
        if thread_id not in read.whole_threads:
            return {}
        known = [found for found in read.headers.values() if found is not None]
        decisions = decide_all(self._served.store, self._desk, known)
        if any(isinstance(decision, LeftOut) for decision in decisions.values()) or here_already(self._served, known):
            return {}
        return bodies_of_thread(self._served.gmail, thread_id)

    def settle_all(
        self,
        rows: Sequence[Stored[SeenRow]],
        headers: Mapping[str, MailHeaders | None],
        bodies: Mapping[str, FullMessage | PermanentFailure],
    ) -> None:
        """Decide and settle rows whose headers are known; None means Gmail has the message no more.

        Oldest first: a parent that is here before its reply saves the reply a second look.
        """
        known = [found for row in rows if (found := headers.get(row.value.gmail_id))]
        decisions = decide_all(self._served.store, self._desk, known)
        came_at = {found.gmail_id: found.internal_at for found in known}
        for row in sorted(rows, key=lambda row: came_at.get(row.value.gmail_id, BEFORE_ALL)):
            found = headers.get(row.value.gmail_id)
            if found is None:
                self.settle(row, self.removal(row, row.value.gone()))
            else:
                self.settle(row, self._outcome(row, found, decisions[row.value.gmail_id], bodies))

    def removal(self, row: Stored[SeenRow], settled: SeenRow) -> Callable[[], None]:
        return lambda: remove_holder(self._served, row, settled, self._desk.mailbox.user_id)

    def _outcome(
        self,
        row: Stored[SeenRow],
        headers: MailHeaders,
        decision: Decision,
        bodies: Mapping[str, FullMessage | PermanentFailure],
    ) -> Callable[[], None]:
        if isinstance(decision, LeftOut):
            return lambda: self._leave_out(row, headers, decision)
        copy = Copy(row, headers, decision, self._desk)
        return lambda: post_message(self._served, copy, lambda: self._body(row, bodies))

    def _leave_out(self, row: Stored[SeenRow], headers: MailHeaders, decision: LeftOut) -> None:
        key = message_key(self._desk.organization.index_key, headers)
        settled = row.value.left_out(decision.rule, key, utc_day(headers.internal_at), private=decision.private)
        if row.value.message_id is not None:
            remove_holder(self._served, row, settled, self._desk.mailbox.user_id)
            return
        try:
            self._served.store.commit([self._served.seen.updating(settled, row.version)])
        except StaleWriteError:
            return  # the row was queued anew meanwhile: its new task decides
        rule = None if decision.private else decision.rule.value
        self._served.log("message.left_out", gmail_id=row.value.gmail_id, rule=rule)

    def _body(self, row: Stored[SeenRow], bodies: Mapping[str, FullMessage | PermanentFailure]) -> MailBody:
        full = bodies.get(row.value.gmail_id)
        if isinstance(full, PermanentFailure):
            raise PayloadError(full.reason)
        if full is not None:
            return full.body
        try:
            return self._served.gmail.message(row.value.gmail_id).body
        except NotFoundError as gone:
            raise RetryableError(f"message {row.value.gmail_id} went between its headers and its body") from gone


def here_already(served: ServedMailbox, messages: Sequence[MailHeaders]) -> frozenset[str]:
    """Gmail ids of those that another mailbox brought: their bodies need not be fetched."""
    row_ids = {message_row_id(headers): headers for headers in messages}
    found = Messages(served.store).get_all(list(row_ids))
    return frozenset(
        row_ids[stored.value.message_id].gmail_id
        for stored in found
        if stored.value.origin == origin_of(row_ids[stored.value.message_id])
    )

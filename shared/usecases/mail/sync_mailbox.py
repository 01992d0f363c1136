"""Read a mailbox's history from our cursor into the ledger, and queue what it asks for (I1, I2, I7, D1, D2).

The rows of a page and the cursor behind it are one commit; the tasks come after it. A crash in between loses nothing:
the rows say what is queued, and the poll queues again what stayed queued too long.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.backfill import window_start
from shared.domain.lease import RUN_AT_MOST
from shared.domain.ledger import SeenRow, State, Turn, Wish, row_after, turn_of
from shared.domain.mailbox import Gap, MailStream, Reading
from shared.errors import (
    AlreadyExistsError,
    AppError,
    ContendedError,
    CursorExpiredError,
    PayloadError,
    RateLimitedError,
    StaleWriteError,
)
from shared.ports.documents import Write
from shared.ports.mailbox import HistoryPage, MailChange, MessageRef
from shared.ports.tasks import Task
from shared.records.mailboxes import Mailboxes
from shared.records.store import RACES_AT_MOST
from shared.records.stored import Stored
from shared.usecases.lease import Held, take_lease
from shared.usecases.mail.queue_work import (
    audit_task,
    ingest_groups,
    ingest_task,
    start_times,
    sync_task,
    units_of,
)
from shared.usecases.mail.read_mail import list_page
from shared.usecases.mail.served import ServedMailbox

GAP_MARGIN = timedelta(hours=1)
"""How far before the last complete reading a gap is listed: clocks differ, and mail is accepted late."""


HISTORY_LAGS = timedelta(seconds=10)
"""How long after its notice a change may appear in the history."""


def sync_mailbox(served: ServedMailbox, *, wish: int | None) -> None:
    """Bring the ledger up to the mailbox's history.

    wish: the history id a notice told of; None for a poll, which reads in any case. A mailbox that is paused,
    disconnected or waits for its person is left alone.
    """
    mailbox, stream = served.streams.with_mailbox()
    if not mailbox.value.served:
        return
    while True:
        held = _hold(served, stream, wish)
        if held is None:
            return
        _read_history(served, held, pushed=wish is not None)
        cursor, wanted = held.value.cursor, served.streams.wanted()
        if wanted <= max(cursor, wish or 0):
            break
        wish, stream = wanted, served.streams.get()
    if wish is not None and cursor < wish and held.value.reading is None and held.value.gap is None:
        # The notice was ahead of the history: read once more in a moment, then trust the poll.
        soon = served.clock.now() + HISTORY_LAGS
        served.tasks.create([sync_task(*served.ids.values(), "behind", wish, wish=None, not_before=soon)])


def _hold(served: ServedMailbox, stored: Stored[MailStream] | None, wish: int | None) -> Held[MailStream] | None:
    """The stream, as it was just read, under its lease, or None when there is nothing to do or somebody else does it.

    Whoever finds the lease taken leaves the wish where the holder looks after releasing, and tries once more: the
    holder may have looked just before. If the holder died, a task after the end of its lease reads the wish.
    """
    fence, until = 0, served.clock.now()
    for last_try in (False, True):
        if stored is None or _nothing_to_do(stored, wish):
            return None
        held = take_lease(stored, served.streams.updating, store=served.store, clock=served.clock, chance=served.chance)
        if held is not None:
            return held
        fence, until = stored.value.lease.fence, stored.value.lease.until or until
        if not last_try:
            if wish is not None:
                served.store.commit([served.streams.wishing(wish)])
            stored = served.streams.get()
    if wish is not None:
        after_lease = until + timedelta(seconds=1)
        served.tasks.create([sync_task(*served.ids.values(), "lease", fence, wish=None, not_before=after_lease)])
    return None


def _nothing_to_do(stored: Stored[MailStream], wish: int | None) -> bool:
    stream = stored.value
    return wish is not None and stream.cursor >= wish and stream.gap is None and stream.reading is None


def _read_history(served: ServedMailbox, held: Held[MailStream], *, pushed: bool) -> None:
    """Page after page until the end or the end of the run, and release, also where the vendor fails."""
    ends_at = served.clock.now() + RUN_AT_MOST
    while True:
        started_at = served.clock.now()
        stream = held.value
        try:
            if stream.gap is not None:
                queued, done = _list_gap_page(served, held, stream.gap, started_at)
            else:
                queued, done = _read_page(served, held, started_at, pushed=pushed)
        except CursorExpiredError:
            _open_gap(served, held)
            continue
        except AppError as failed:
            if isinstance(failed, RateLimitedError):
                served.budget.block(failed.resume_at)
            held.release(held.value)
            raise
        served.tasks.create(queued)
        if done:
            return
        if served.clock.now() >= ends_at:
            held.release(held.value)
            again = sync_task(*served.ids.values(), "continue", held.value.lease.fence, wish=None)
            served.tasks.create([again])
            return


def _read_page(
    served: ServedMailbox, held: Held[MailStream], started_at: datetime, *, pushed: bool
) -> tuple[list[Task], bool]:
    stream = held.value
    page, before = _history(served, stream)
    history_id, began_at = (before.history_id, before.started_at) if before else (page.history_id, started_at)
    last = page.next_page is None
    after = replace(
        stream,
        cursor=max(stream.cursor, history_id) if last else stream.cursor,
        reading=Reading(history_id, began_at, page.next_page) if page.next_page is not None else None,
        read_at=began_at if last else stream.read_at,
        pushed_at=started_at if pushed else stream.pushed_at,
        polled_at=stream.polled_at if pushed else started_at,
    )
    tasks = _commit_rows(served, held, after, list(_turns(page.changes).values()), release=last)
    served.log("history.read", pushed=pushed, changes=len(page.changes), tasks=len(tasks), last=last)
    return tasks, last


def _history(served: ServedMailbox, stream: MailStream) -> tuple[HistoryPage, Reading | None]:
    """The next page, and the reading it belongs to unless it is the first. A page token that went stale is no reason to
    stop: the interval is read from its start."""
    if stream.reading is not None:
        with suppress(PayloadError):
            return served.gmail.history(stream.cursor, stream.reading.page), stream.reading
    return served.gmail.history(stream.cursor, None), None


def _turns(changes: Iterable[MailChange]) -> dict[str, Turn]:
    turns: dict[str, Turn] = {}
    for change in changes:
        gmail_id = change.ref.gmail_id
        turn = turn_of(
            turns.get(gmail_id),
            gmail_id=gmail_id,
            gmail_thread_id=change.ref.gmail_thread_id,
            kind=change.kind,
            labels=change.labels,
        )
        if turn is not None:
            turns[gmail_id] = turn
    return turns


def _commit_rows(
    served: ServedMailbox, held: Held[MailStream], after: MailStream, turns: list[Turn], *, release: bool
) -> list[Task]:
    """Write the rows the turns ask for together with the stream; return the tasks of the queued ones.

    A message that was just added has no row, so none is read for it; where one does exist, its create fails and all
    rows are read.
    """
    read = [turn.gmail_id for turn in turns if not turn.fresh]
    for _ in range(RACES_AT_MOST):
        known = served.seen.get_all(read)
        now = served.clock.now()
        rows = [
            row
            for turn in turns
            if (row := row_after(turn, found.value if (found := known.get(turn.gmail_id)) else None, now))
        ]
        tasks, rows = _planned(served, rows, now)
        writes: list[Write] = [
            served.seen.updating(row, known[row.gmail_id].version)
            if row.gmail_id in known
            else served.seen.creating(row)
            for row in rows
        ]
        try:
            (held.release if release else held.commit)(after, writes)
        except AlreadyExistsError:
            read = [turn.gmail_id for turn in turns]
        except StaleWriteError:
            _require_lease(served, held)
        else:
            return tasks
    raise ContendedError(f"the ledger of mailbox {served.mailbox_id} is contended")


def _require_lease(served: ServedMailbox, held: Held[MailStream]) -> None:
    """A guard failed: if it was the lease's, another run has taken over and this one ends."""
    current = served.streams.get()
    if current is None or current.value.lease.fence != held.value.lease.fence:
        raise ContendedError(f"the lease of mailbox {served.mailbox_id} was lost")


def _planned(served: ServedMailbox, rows: list[SeenRow], now: datetime) -> tuple[list[Task], list[SeenRow]]:
    """Tasks for the queued rows, paced by the budget, and the rows with the time their task is due."""
    groups = ingest_groups(row for row in rows if row.state is State.QUEUED)
    costs = [units_of(group, served) for group in groups]
    if not groups:
        return [], rows
    granted = served.budget.draw(sum(costs) + served.prices["gmail.users.history.list"], may_owe=True)
    starts = start_times(costs, granted, now)
    due = {row.gmail_id: start for group, start in zip(groups, starts, strict=True) for row in group}
    tasks = [
        ingest_task(group, served, start if start > now else None) for group, start in zip(groups, starts, strict=True)
    ]
    return tasks, [replace(row, queued_at=due.get(row.gmail_id, row.queued_at)) for row in rows]


# ------------------------------------------------------------------------------------------------ an expired cursor


def _open_gap(served: ServedMailbox, held: Held[MailStream]) -> None:
    """The cursor is too old for Gmail. Pin where the mailbox is now, then list everything since the last good time:
    the pin becomes the cursor only once all of it is queued (I1)."""
    pinned = served.gmail.profile().history_id
    gap = Gap(pinned=pinned, after=held.value.read_at - GAP_MARGIN)
    held.commit(replace(held.value, gap=gap, reading=None))
    served.warn("cursor.expired")


def _list_gap_page(
    served: ServedMailbox, held: Held[MailStream], gap: Gap, started_at: datetime
) -> tuple[list[Task], bool]:
    """One page of the gap. At its end the pinned history id becomes the cursor, and history is read on from there.

    What left the mailbox meanwhile is in no list, however old it is: the audit queued here compares all rows with it.
    It is queued before the commit that forgets the gap, since nothing would ask for it afterwards.
    """
    page = list_page(served.gmail, gap.after, None, gap.page)
    turns = [_listed(ref) for ref in page.refs]
    if page.next_page is not None:
        after = replace(held.value, gap=replace(gap, page=page.next_page))
        return _commit_rows(served, held, after, turns, release=False), False
    months = Mailboxes(served.store).get(served.mailbox_id).value.options.backfill_months
    served.tasks.create([audit_task(served, min(gap.after, window_start(started_at, months)), started_at)])
    after = replace(held.value, cursor=max(gap.pinned, held.value.cursor), gap=None, reading=None)
    return _commit_rows(served, held, after, turns, release=False), False


def _listed(ref: MessageRef) -> Turn:
    """A message in a list is there, and under no system label."""
    return Turn(ref.gmail_id, ref.gmail_thread_id, fresh=False, wish=Wish.READ, system_label=False)

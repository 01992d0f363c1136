"""Read a mailbox's past: list every id of the window, then headers page by page, newest first (G8, D5).

Listing costs next to nothing and tells how much there is; knowing all of it, messages of one thread are read together
wherever they lie in the window. The run's document says where to go on, so a crash repeats one page at most; pages
draw from the mailbox's budget and leave its live share alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

from shared import log
from shared.domain.backfill import (
    BackfillRun,
    Chunk,
    Group,
    Phase,
    Wanted,
    body_units,
    grouped,
    header_units,
    pages,
)
from shared.domain.budget import Draw
from shared.domain.ids import digest
from shared.domain.ledger import SeenRow, Source, State, queued_row, utc_day
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail_rules import Decision, LeftOut
from shared.domain.mailbox import Status
from shared.domain.message import message_key
from shared.errors import (
    AlreadyExistsError,
    AppError,
    ContendedError,
    NotFoundError,
    PayloadError,
    RateLimitedError,
    StaleWriteError,
)
from shared.ports.documents import Write
from shared.ports.tasks import Task
from shared.records.mailboxes import Mailboxes
from shared.records.store import RACES_AT_MOST, guarded
from shared.records.stored import Stored
from shared.usecases.mail.decide_mail import Desk, decide_all, open_desk
from shared.usecases.mail.ingest_messages import ALONE_FROM_ATTEMPT, Ingest, here_already
from shared.usecases.mail.queue_work import ingest_task, start_times
from shared.usecases.mail.read_mail import HeadersRead, list_page, read_headers
from shared.usecases.mail.search_for_contacts import leave_out_unfound, may_search, search_step, step_units
from shared.usecases.mail.served import ServedMailbox

LISTED, HITS, PLANNED = "l", "h", "p"
STALLED_AFTER = timedelta(minutes=5)
"""A run whose last step is older lost its task, or waits for its budget."""
PAGES_A_CHUNK = 20


def start_backfill(served: ServedMailbox, *, after: datetime, before: datetime) -> None:
    """Begin a run over the window, or take a finished one up again for a new window. A running one goes on."""

    def attempt() -> BackfillRun:
        stored = served.streams.backfill()
        if stored is not None and stored.value.phase is not Phase.DONE:
            return stored.value
        run = BackfillRun(
            run_id=digest(served.mailbox_id, after.isoformat(), before.isoformat())[:16],
            after=after,
            before=before,
            started_at=served.clock.now(),
            moved_at=served.clock.now(),
            fresh=stored is None,
        )
        streams = served.streams
        served.store.commit(
            [streams.updating_backfill(run, stored.version) if stored else streams.creating_backfill(run)]
        )
        return run

    run = guarded(served.jitter, "the backfill", attempt)
    served.tasks.create([page_task(served, run)])


def page_task(served: ServedMailbox, run: BackfillRun, not_before: datetime | None = None, *again: str) -> Task:
    """The next step of a run, named by where the run stands."""
    places: dict[Phase, tuple[str | int, ...]] = {
        Phase.LISTING: (run.list_page or "", run.chunks),
        Phase.SEARCHING: (run.searched_after or "", run.hit_chunks),
    }
    place = places.get(run.phase, (run.chunk, run.page))
    where = (run.run_id, run.started_at.isoformat(), run.phase.value, *place)
    return Task(
        queue="mailbox-backfill",
        function="mailbox_backfill",
        name=digest("mailbox-backfill", *served.ids.values(), *where, *again),
        payload={**served.ids, "run": run.run_id},
        not_before=not_before,
    )


def backfill_page(served: ServedMailbox, run_id: str, *, attempt: int = 0) -> None:
    """One step of the run: list a page, plan, or read a page; then queue the next. A step done before is not repeated:
    the run's document has moved on.

    attempt: attempts of this task before this one. A page that our code stumbles over again and again is handed to a
    task for each of its messages, where the one at fault is parked.
    """
    if not Mailboxes(served.store).get(served.mailbox_id).value.served:
        return
    stored = served.streams.backfill()
    if stored is None or stored.value.run_id != run_id or stored.value.phase is Phase.DONE:
        return
    try:
        if stored.value.phase is Phase.LISTING:
            _list_page(served, stored)
        elif stored.value.phase is Phase.SEARCHING:
            _search(served, stored)
        else:
            _read_page(served, stored, attempt)
    except StaleWriteError:
        return  # another run of this task did the step
    except RateLimitedError as limited:
        served.budget.block(limited.resume_at)
        raise


def resume_backfill(served: ServedMailbox) -> None:
    """Queue the next step of a run that stands still: its task was lost, or came while the mailbox was paused."""
    stored, now = served.streams.backfill(), served.clock.now()
    if stored is None or stored.value.phase is Phase.DONE or now - stored.value.moved_at < STALLED_AFTER:
        return
    slot = str(int(now.timestamp()) // int(STALLED_AFTER.total_seconds()))
    served.tasks.create([page_task(served, stored.value, None, "resumed", slot)])


# ------------------------------------------------------------------------------------------------------------ listing


def _list_page(served: ServedMailbox, stored: Stored[BackfillRun]) -> None:
    run, streams = stored.value, served.streams
    granted = _draw(served, run, served.prices["gmail.users.messages.list"])
    if granted is None:
        return
    page = list_page(served.gmail, run.after, run.before, run.list_page)
    wanted = tuple(Wanted(ref.gmail_id, ref.gmail_thread_id) for ref in page.refs)
    moved = replace(
        run,
        chunks=run.chunks + 1,
        listed=run.listed + len(wanted),
        list_page=page.next_page,
        moved_at=served.clock.now(),
    )
    chunk = streams.writing_chunk(run.run_id, LISTED, run.chunks, Chunk(wanted))
    if page.next_page is not None:
        served.store.commit([streams.updating_backfill(moved, stored.version), chunk])
        served.tasks.create([page_task(served, moved)])
        return
    served.store.commit([streams.updating_backfill(replace(moved, list_page=run.list_page), stored.version), chunk])
    _after_listing(served)


def _after_listing(served: ServedMailbox) -> None:
    """Search for the contacts' addresses where that is cheaper and loses nothing; else read everything."""
    stored = served.streams.backfill()
    assert stored is not None
    run = stored.value
    if not run.fresh or not may_search(served, header_units(grouped(_chunks(served, run, LISTED)), served.prices)):
        _plan(served)
        return
    searching = replace(run, phase=Phase.SEARCHING, by_search=True, moved_at=served.clock.now())
    served.store.commit([served.streams.updating_backfill(searching, stored.version)])
    served.tasks.create([page_task(served, searching)])


def _search(served: ServedMailbox, stored: Stored[BackfillRun]) -> None:
    run, streams = stored.value, served.streams
    if _draw(served, run, step_units(served)) is None:
        return
    hits, last = search_step(served, run)
    moved = replace(run, searched_after=last, hit_chunks=run.hit_chunks + 1, moved_at=served.clock.now())
    chunk = streams.writing_chunk(run.run_id, HITS, run.hit_chunks, Chunk(tuple(hits)))
    if last is None:  # the place stays, so that a crash before the plan repeats this step
        again = replace(moved, searched_after=run.searched_after)
        served.store.commit([streams.updating_backfill(again, stored.version), chunk])
        _plan(served)
        return
    served.store.commit([streams.updating_backfill(moved, stored.version), chunk])
    served.tasks.create([page_task(served, moved)])


def _chunks(served: ServedMailbox, run: BackfillRun, kind: str) -> list[Wanted]:
    """What the run's chunks of one kind hold, once each."""
    count = run.hit_chunks if kind == HITS else run.chunks
    found = [wanted for number in range(count) for wanted in _chunk(served, run, kind, number).messages]
    return list({wanted.gmail_id: wanted for wanted in found}.values())


def _chunk(served: ServedMailbox, run: BackfillRun, kind: str, number: int) -> Chunk:
    """Raises: StaleWriteError where another run of this task has done the step, and with it the chunk went."""
    try:
        return served.streams.chunk(run.run_id, kind, number)
    except NotFoundError:
        now = served.streams.backfill()
        if now is not None and now.value == run:
            raise
        raise StaleWriteError(f"backfill {run.run_id} has moved on") from None


def _plan(served: ServedMailbox) -> None:
    """Arrange what was listed into groups over the whole window, and go on to reading.

    The chunks of a plan are the same whoever writes them, so a crash between them and the run's move repeats them.
    """
    stored = served.streams.backfill()
    assert stored is not None
    run, streams = stored.value, served.streams
    if run.phase is Phase.READING or run.phase is Phase.DONE:
        return  # another run of this task has planned
    listed = to_read = _chunks(served, run, LISTED)
    if run.by_search:
        hits = {wanted.gmail_id for wanted in _chunks(served, run, HITS)}
        leave_out_unfound(served, [wanted for wanted in listed if wanted.gmail_id not in hits])
        to_read = [wanted for wanted in listed if wanted.gmail_id in hits]
    planned = pages(grouped(to_read))
    chunks = [planned[start : start + PAGES_A_CHUNK] for start in range(0, len(planned), PAGES_A_CHUNK)]
    for number, chunk in enumerate(chunks):
        messages = tuple(wanted for page in chunk for group in page for wanted in group.messages)
        served.store.commit([streams.writing_chunk(run.run_id, PLANNED, number, Chunk(messages))])
    reading = replace(
        run,
        phase=Phase.READING,
        chunks=len(chunks),
        listed=len(listed),
        decided=len(listed) - len(to_read),
        moved_at=served.clock.now(),
    )
    cleared: list[Write] = [streams.deleting_chunk(run.run_id, LISTED, number) for number in range(run.chunks)]
    cleared += [streams.deleting_chunk(run.run_id, HITS, number) for number in range(run.hit_chunks)]
    if not chunks:
        _finish(served, Stored(reading, stored.version), cleared)
        return
    served.store.commit([streams.updating_backfill(reading, stored.version), *cleared])
    served.tasks.create([page_task(served, reading)])
    served.log("backfill.listed", messages=len(listed), to_read=len(to_read))


# ------------------------------------------------------------------------------------------------------------ reading


def _read_page(served: ServedMailbox, stored: Stored[BackfillRun], attempt: int) -> None:
    try:
        _settle_page(served, stored, together=True)
    except AppError:
        raise
    except Exception as bug:
        if attempt < ALONE_FROM_ATTEMPT:
            raise
        log.exception("backfill.stumbled", bug, tenant=served.store.tenant, mailbox=served.mailbox_id)
        _settle_page(served, stored, together=False)


def _settle_page(served: ServedMailbox, stored: Stored[BackfillRun], *, together: bool) -> None:
    """together: read and decide the page's messages here. Otherwise each gets a task of its own, which draws nothing:
    the page drew when it was tried."""
    run, now = stored.value, served.clock.now()
    planned = pages(grouped(_chunk(served, run, PLANNED, run.chunk).messages))
    page = planned[run.page]
    known = {} if run.fresh else served.seen.get_all([wanted.gmail_id for group in page for wanted in group.messages])
    groups = _without(page, set(known))
    if together and groups and _draw(served, run, header_units(groups, served.prices)) is None:
        return
    read = _headers(served, groups) if together else None
    desk = open_desk(served.store, served.mailbox_id)
    moved = _moved(run, len(planned), sum(len(group.messages) for group in page), now)
    second: frozenset[str] = frozenset()
    for _ in range(RACES_AT_MOST):
        try:
            if read is None:
                tasks = _commit_unread(served, stored, moved, groups)
            else:
                tasks, second = _commit_page(served, stored, moved, desk, read)
            break
        except AlreadyExistsError:  # live mail reached some of these first: settle the others only
            reached = set(served.seen.get_all([wanted.gmail_id for group in groups for wanted in group.messages]))
            groups, read = _without(groups, reached), _unreached(read, reached)
    else:
        raise ContendedError(f"the ledger of mailbox {served.mailbox_id} is contended")
    served.tasks.create(tasks)
    if moved.chunk < moved.chunks:
        served.tasks.create([page_task(served, moved)])
    if read is not None:
        _settle_second_copies(served, desk, read, second)


def _headers(served: ServedMailbox, groups: Sequence[Group]) -> HeadersRead | None:
    """Headers of the page; None where one message's cannot be read: then each is read by a task of its own, where the
    unreadable one is parked and stops nobody else."""
    try:
        return read_headers(served.gmail, groups) if groups else HeadersRead({}, frozenset())
    except PayloadError:
        return None


def _without(page: Sequence[Group], known: set[str]) -> list[Group]:
    left = [wanted for group in page for wanted in group.messages if wanted.gmail_id not in known]
    return grouped(left)


def _unreached(read: HeadersRead | None, reached: set[str]) -> HeadersRead | None:
    if read is None:
        return None
    left = {gmail_id: headers for gmail_id, headers in read.headers.items() if gmail_id not in reached}
    torn = {headers.gmail_thread_id for gmail_id in reached if (headers := read.headers.get(gmail_id))}
    return HeadersRead(left, read.whole_threads - torn)


def _moved(run: BackfillRun, pages_of_chunk: int, decided: int, now: datetime) -> BackfillRun:
    moved = replace(run, decided=run.decided + decided, page=run.page + 1, moved_at=now)
    if moved.page == pages_of_chunk:
        moved = replace(moved, chunk=run.chunk + 1, page=0)
    return moved


def _commit_unread(
    served: ServedMailbox, stored: Stored[BackfillRun], moved: BackfillRun, groups: Sequence[Group]
) -> list[Task]:
    now = served.clock.now()
    rows = [
        queued_row(message.gmail_id, message.gmail_thread_id, now, source=Source.BACKFILL)
        for group in groups
        for message in group.messages
    ]
    _commit_move(served, stored, moved, [served.seen.creating(row) for row in rows])
    return [ingest_task([row], served, None) for row in rows]


def _commit_page(
    served: ServedMailbox, stored: Stored[BackfillRun], moved: BackfillRun, desk: Desk, read: HeadersRead
) -> tuple[list[Task], frozenset[str]]:
    """Rows of the page and the run's move in one commit. Returns the tasks of the rows whose bodies are to be fetched,
    and the Gmail ids of copies of messages that are here."""
    now = served.clock.now()
    present = [headers for headers in read.headers.values() if headers is not None]
    decisions = decide_all(served.store, desk, present)
    wanted = [headers for headers in present if not isinstance(decisions[headers.gmail_id], LeftOut)]
    second = here_already(served, wanted)
    rows = [_row(headers, decisions[headers.gmail_id], desk, now) for headers in present]
    first = [row for row in rows if row.state is State.QUEUED and row.gmail_id not in second]
    groups = _ingest_groups(first, read.whole_threads, present)
    prices = served.prices
    costs = [body_units(len(group), whole_thread=len(group) > 1, prices=prices) for group in groups]
    granted = served.budget.draw(sum(costs), past=True, may_owe=True) if groups else None
    starts = start_times(costs, granted, now) if granted else []
    due = {row.gmail_id: start for group, start in zip(groups, starts, strict=True) for row in group}
    timed = [replace(row, queued_at=due.get(row.gmail_id, row.queued_at)) for row in rows]
    writes: list[Write] = [served.seen.creating(row) for row in timed]
    _commit_move(served, stored, moved, writes)
    served.log("backfill.page_read", decided=moved.decided, listed=moved.listed, queued=len(first))
    tasks = [
        ingest_task(group, served, start if start > now else None) for group, start in zip(groups, starts, strict=True)
    ]
    return tasks, second


def _row(headers: MailHeaders, decision: Decision, desk: Desk, now: datetime) -> SeenRow:
    row = queued_row(headers.gmail_id, headers.gmail_thread_id, now, source=Source.BACKFILL)
    day = utc_day(headers.internal_at)
    if isinstance(decision, LeftOut):
        return row.left_out(
            decision.rule, message_key(desk.organization.index_key, headers), day, private=decision.private
        )
    return replace(row, day=day, headers_passed=True)


def _ingest_groups(
    rows: Sequence[SeenRow],
    whole_threads: frozenset[str],
    present: Sequence[MailHeaders],
) -> list[list[SeenRow]]:
    """One task a message; one for a thread that is wholly wanted, all of it logged here for the first time."""
    by_thread: dict[str, list[SeenRow]] = {}
    for row in rows:
        by_thread.setdefault(row.gmail_thread_id, []).append(row)
    sizes: dict[str, int] = {}
    for headers in present:
        sizes[headers.gmail_thread_id] = sizes.get(headers.gmail_thread_id, 0) + 1
    groups: list[list[SeenRow]] = []
    for thread_id, members in by_thread.items():
        together = thread_id in whole_threads and len(members) == sizes[thread_id] >= 3
        groups.extend([members] if together else [[row] for row in members])
    return groups


def _settle_second_copies(served: ServedMailbox, desk: Desk, read: HeadersRead, second: frozenset[str]) -> None:
    """Add this holder to messages another mailbox brought: their headers are at hand, and nothing more is needed.

    The last thing of a step: what is lost here is queued, and the poll brings it back.
    """
    if not second:
        return
    rows = served.seen.get_all(sorted(second))
    ingest = Ingest(served, desk)
    ingest.settle_all(list(rows.values()), read.headers, {})
    ingest.raise_unsettled()


def _commit_move(
    served: ServedMailbox, stored: Stored[BackfillRun], moved: BackfillRun, writes: Sequence[Write]
) -> None:
    if moved.chunk == moved.chunks:
        _finish(served, Stored(moved, stored.version), writes)
    else:
        served.store.commit([served.streams.updating_backfill(moved, stored.version), *writes])


def _finish(served: ServedMailbox, stored: Stored[BackfillRun], writes: Sequence[Write]) -> None:
    """The last step: the run is done, its plan goes, and the mailbox is no longer importing."""
    run, streams = stored.value, served.streams
    done = replace(run, phase=Phase.DONE, finished_at=served.clock.now())
    plan = [streams.deleting_chunk(run.run_id, PLANNED, number) for number in range(run.chunks)]
    mailbox = Mailboxes(served.store).get(served.mailbox_id)
    status: list[Write] = []
    if mailbox.value.status is Status.IMPORTING:
        connected = replace(mailbox.value, status=Status.CONNECTED)
        status = [Mailboxes(served.store).updating(connected, mailbox.version)]
    served.store.commit([streams.updating_backfill(done, stored.version), *writes, *plan, *status])
    served.log("backfill.finished", messages=run.listed)


def _draw(served: ServedMailbox, run: BackfillRun, cost: int) -> Draw | None:
    """Units for this step, or None after queueing the step for when there will be enough."""
    granted = served.budget.draw(cost, past=True, may_owe=False)
    if granted.granted:
        return granted
    # Named by the second it starts at, so that two tasks of one step that wait for the same units become one. It starts
    # at the full second: if live mail was quicker then, the next wait ends in a later one, and has another name.
    second = ceil(granted.ready_at.timestamp())
    served.tasks.create([page_task(served, run, datetime.fromtimestamp(second, UTC), str(second))])
    return None

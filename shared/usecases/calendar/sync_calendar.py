"""Read one calendar from our sync token into its copies, and queue the meetings that changed (I7, I16, I17, D1, D2).

The rows of a page, their generation and the stream behind them are one commit; the tasks come after it. A crash in
between loses nothing: the rows say what waits for its rebuild, and the poll queues again what waited too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from shared.domain.calendar.copy import EventCopy
from shared.domain.calendar.stream import Absence, CalendarStream
from shared.domain.lease import RUN_AT_MOST
from shared.errors import (
    AlreadyExistsError,
    AppError,
    ContendedError,
    CursorExpiredError,
    ForbiddenError,
    NotFoundError,
    StaleWriteError,
)
from shared.ports.documents import Write
from shared.records.mailboxes import Mailboxes
from shared.usecases.calendar.queue_work import Cause, rebuild_tasks, sync_task
from shared.usecases.calendar.remove_absent import removal_step
from shared.usecases.calendar.served import ServedCalendars
from shared.usecases.calendar.store_page import PageRows, page_rows
from shared.usecases.lease import Held, take_lease


def sync_calendar(served: ServedCalendars, stream_id: str, *, cause: Cause) -> None:
    """Bring the copies of one calendar up to what it states now.

    A mailbox that is paused, disconnected or waits for its person is left alone.

    Raises: ContendedError (the lease was lost, or a reread found it taken), and what ports.Calendar raises.
    """
    if not Mailboxes(served.store).get(served.mailbox_id).value.served:
        return
    while True:
        held = _hold(served, stream_id, cause)
        if held is None:
            return
        wishes = served.streams.wishes(stream_id)
        done = _Run(served, held).read(anew=cause is Cause.REREAD)
        if not done or served.streams.wishes(stream_id) == wishes:
            return
        cause = Cause.CONTINUE


def _hold(served: ServedCalendars, stream_id: str, cause: Cause) -> Held[CalendarStream] | None:
    """The stream under its lease, or None when somebody else reads it.

    Whoever finds the lease taken leaves a wish where the holder looks after releasing, and tries once more: the holder
    may have looked just before. If the holder died, a task after the end of its lease does the reading.
    """
    for last_try in (False, True):
        stored = served.streams.get(stream_id)
        if stored.value.closed:
            return None
        held = take_lease(stored, served.streams.updating, store=served.store, clock=served.clock, chance=served.chance)
        if held is not None:
            return held
        if cause is Cause.REREAD:
            raise ContendedError(f"calendar stream {stream_id} is being read; it can be read anew after that")
        if not last_try:
            served.store.commit([served.streams.wishing(stream_id)])
    lease = stored.value.lease
    if lease.until is not None:
        after_lease = lease.until + timedelta(seconds=1)
        ids = (served.store.tenant, served.mailbox_id, stream_id)
        served.tasks.create([sync_task(*ids, Cause.CONTINUE, "lease", lease.fence, not_before=after_lease)])
    return None


class _Run:
    """One holding of the lease: pages until the calendar is read, then what its absences ask for, and release."""

    def __init__(self, served: ServedCalendars, held: Held[CalendarStream]) -> None:
        self._served = served
        self._held = held
        self._reached_end = False

    def read(self, *, anew: bool) -> bool:
        """Whether everything was done; otherwise the continuation is queued."""
        ends_at = self._served.clock.now() + RUN_AT_MOST
        try:
            if anew:
                self._begin_generation("reread")
            while not self._step():
                if self._served.clock.now() >= ends_at:
                    self._held.release(self._held.value)
                    self._queue_continuation()
                    return False
        except (StaleWriteError, AlreadyExistsError):
            raise ContendedError(f"the lease of calendar stream {self._held.value.stream_id} was lost") from None
        except AppError:
            with suppress(AppError):  # the lease ends by itself, only later
                self._held.release(self._held.value)
            raise
        return True

    def _step(self) -> bool:
        """One page, or one step of a removal; True once the calendar is read and the lease free.

        A removal that an earlier run left behind comes first, and the reading this run was asked for after it.
        """
        stream = self._held.value
        if stream.absence is not None:
            removal = removal_step(self._served, stream, stream.absence)
            done = removal.last and self._reached_end
            self._commit(removal.stream, removal.writes, removal.rows, release=done)
            return done
        if stream.page_is_stale(self._served.clock.now()):
            self._restart_interval()
            return False
        return self._read_page()

    def _read_page(self) -> bool:
        stream, now = self._held.value, self._served.clock.now()
        try:
            page = self._served.calendar.events(
                stream.calendar_id, since=stream.since, sync_token=stream.sync_token, page=stream.page
            )
        except CursorExpiredError:
            self._begin_generation("expired")
            return False
        except (NotFoundError, ForbiddenError):
            self._close()
            return True
        rows = page_rows(self._served, stream, page, now)
        begun_at = now if stream.page is None or stream.begun_at is None else stream.begun_at
        if page.sync_token is None:
            self._commit(replace(stream, page=page.next_page, begun_at=begun_at), rows.writes, rows.changed)
            return False
        whole = stream.sync_token is None
        after = replace(
            stream,
            sync_token=page.sync_token,
            page=None,
            begun_at=None,
            read_at=begun_at,
            absence=Absence(stream.generation) if whole else None,
        )
        self._commit(after, rows.writes, rows.changed, release=not whole)
        self._reached_end = True
        self._log_read(rows, whole=whole)
        return not whole

    def _begin_generation(self, reason: str) -> None:
        """Read everything anew. What the new generation does not state, once complete, is gone (I16)."""
        stream = self._held.value
        after = replace(
            stream, generation=stream.generation + 1, sync_token=None, page=None, begun_at=None, absence=None
        )
        self._commit(after)
        self._served.log("generation.begun", stream=stream.stream_id, generation=after.generation, reason=reason)

    def _restart_interval(self) -> None:
        """A whole reading that is begun again is a new generation: rows of the first attempt may be gone by now."""
        if self._held.value.sync_token is None:
            self._begin_generation("stale_page")
        else:
            self._commit(replace(self._held.value, page=None, begun_at=None))

    def _close(self) -> None:
        """The calendar is gone, or not shared with us any more: what was logged stays, nothing is inferred from it."""
        self._held.release(replace(self._held.value, closed=True, page=None, begun_at=None))
        self._served.warn("calendar.closed", stream=self._held.value.stream_id)

    def _commit(
        self,
        stream: CalendarStream,
        writes: Sequence[Write] = (),
        changed: Sequence[EventCopy] = (),
        *,
        release: bool = False,
    ) -> None:
        (self._held.release if release else self._held.commit)(stream, writes)
        self._served.tasks.create(rebuild_tasks(self._served.store.tenant, self._served.mailbox_id, changed))

    def _queue_continuation(self) -> None:
        stream = self._held.value
        ids = (self._served.store.tenant, self._served.mailbox_id, stream.stream_id)
        self._served.tasks.create([sync_task(*ids, Cause.CONTINUE, "run", stream.lease.fence)])

    def _log_read(self, rows: PageRows, *, whole: bool) -> None:
        stream = self._held.value
        changed, generation = len(rows.changed), stream.generation
        self._served.log("calendar.read", stream=stream.stream_id, changed=changed, whole=whole, generation=generation)

"""The queues themselves: what may be created, what is due, what an outcome leads to.

A plain class on a clock that is handed in: no sockets, no threads, no disk. A simulation drives it alone:

    queues = TaskQueues(clock)
    queues.create_queue(QueueSettings(QUEUE))
    queues.create_task(QUEUE, NewTask(HttpTarget("http://worker.example/work")))
    for attempt in queues.take_due():
        queues.finish(attempt, Outcome(http_status=200))

Callers that share one instance between threads hold one lock around every call. Changes are told to a `Journal` as they
happen; whoever persists them commits before answering.

Known differences from Google: the name of a deleted queue is free at once; no slow ramp-up of new queues; only 429 and
503 throttle a queue, not a high rate of other errors. A task-level retry configuration replaces the queue's as a whole.
"""

from __future__ import annotations

import heapq
import secrets
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from local.tasks import names
from local.tasks.bucket import TokenBucket
from local.tasks.checks import check_queue, check_task
from local.tasks.journal import Journal, NoJournal, SavedQueue
from local.tasks.values import (
    DAY_S,
    MAX_SCHEDULE_AHEAD_S,
    MAX_TASK_AGE_S,
    AlreadyExistsError,
    Attempt,
    InvalidArgumentError,
    LastAttempt,
    NewTask,
    NotFoundError,
    Outcome,
    Progress,
    QueueSettings,
    QueueSnapshot,
    Task,
)

LONGEST_TOMBSTONE_S = DAY_S
DEFAULT_TOMBSTONE_S = 3600
OVERLOADED = (429, 503)


class _Queue:
    """A saved queue and what is lost with the process: its schedule, its attempts, its tokens."""

    def __init__(self, saved: SavedQueue, now: datetime) -> None:
        self.saved = saved
        self.schedule: list[tuple[datetime, int, str]] = []
        self.in_flight: dict[int, Attempt] = {}
        self.bucket = TokenBucket(saved.settings.rate, now)

    @property
    def full(self) -> bool:
        return len(self.in_flight) >= self.saved.settings.rate.max_concurrent_dispatches

    def head(self) -> tuple[datetime, Task] | None:
        """Return the next scheduled task and its time; entries that no longer hold are dropped on the way."""
        while self.schedule:
            at, ticket, name = self.schedule[0]
            task = self.saved.tasks.get(name)
            if task is not None and task.ticket == ticket:
                return at, task
            heapq.heappop(self.schedule)
        return None


class TaskQueues:
    """All queues of the emulator.

    tombstone_s: how long the name of an executed or deleted task stays refused; 0 to one day, and may be changed at
    any time. Google's documentation says one hour in one place and up to a day in another.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        tombstone_s: float = DEFAULT_TOMBSTONE_S,
        journal: Journal | None = None,
        saved: Iterable[SavedQueue] = (),
        new_id: Callable[[], str] = lambda: str(secrets.randbelow(9 * 10**18) + 10**18),
    ) -> None:
        self._clock = clock
        self._journal = journal or NoJournal()
        self._new_id = new_id
        self._tickets = count(1)
        self._attempts = count(1)
        self._forced: list[Attempt] = []
        self._queues: OrderedDict[str, _Queue] = OrderedDict()  # the queue served longest ago comes first
        self.tombstone_s = tombstone_s
        now = clock()
        for each in saved:
            queue = self._queues[each.settings.name] = _Queue(each, now)
            for task in each.tasks.values():
                self._schedule(queue, task)

    # Queues

    def create_queue(self, settings: QueueSettings) -> QueueSnapshot:
        """Raises: InvalidArgumentError; AlreadyExistsError."""
        check_queue(settings)
        if settings.name in self._queues:
            raise AlreadyExistsError("Queue already exists")
        self._add_queue(settings)
        return self.queue(settings.name)

    def update_queue(self, settings: QueueSettings) -> QueueSnapshot:
        """Replace a queue's settings, or create it; tasks, pause and tokens stay.

        Raises: InvalidArgumentError.
        """
        check_queue(settings)
        queue = self._queues.get(settings.name)
        if queue is None:
            self._add_queue(settings)
        else:
            queue.saved.settings = settings
            queue.bucket.change(settings.rate, self._clock())
            self._journal.queue_saved(queue.saved)
        return self.queue(settings.name)

    def queue(self, name: str) -> QueueSnapshot:
        """Raises: NotFoundError."""
        queue, now = self._find(name), self._clock()
        head = queue.head()
        running = {attempt.task.name for attempt in queue.in_flight.values()}
        due = {task.name for task in queue.saved.tasks.values() if task.progress.scheduled_at <= now} | running
        return QueueSnapshot(
            settings=queue.saved.settings,
            paused=queue.saved.paused,
            purged_at=queue.saved.purged_at,
            depth=len(queue.saved.tasks),
            due=len(due),
            in_flight=tuple(sorted(running)),
            next_at=head[0] if head else None,
            pace=queue.bucket.pace,
        )

    def queues(self, parent: str = "") -> list[QueueSnapshot]:
        """Return the queues whose names begin with "<parent>/queues/", by name; all without a parent."""
        prefix = f"{parent}/queues/" if parent else ""
        return [self.queue(name) for name in sorted(self._queues) if name.startswith(prefix)]

    def delete_queue(self, name: str) -> None:
        """Remove the queue and all that is in it. Raises: NotFoundError."""
        self._find(name)
        del self._queues[name]
        self._journal.queue_deleted(name)

    def pause_queue(self, name: str) -> QueueSnapshot:
        """Start no more attempts; those running go on. Raises: NotFoundError."""
        return self._set_paused(name, paused=True)

    def resume_queue(self, name: str) -> QueueSnapshot:
        """Raises: NotFoundError."""
        return self._set_paused(name, paused=False)

    def purge_queue(self, name: str) -> QueueSnapshot:
        """Delete every task; running attempts go on and their outcome is ignored. Raises: NotFoundError."""
        queue = self._find(name)
        for task in list(queue.saved.tasks.values()):
            self._end(queue, task)
        queue.saved.purged_at = self._clock()
        self._journal.queue_saved(queue.saved)
        return self.queue(name)

    def reset(self, *, keep_queues: bool) -> None:
        """Forget every task, attempt and tombstone; the queues, unpaused, stay if asked."""
        self._forced.clear()
        settings = [queue.saved.settings for queue in self._queues.values()]
        for name in list(self._queues):
            self.delete_queue(name)
        if keep_queues:
            for each in settings:
                self._add_queue(each)

    # Tasks

    def create_task(self, queue_name: str, new: NewTask) -> Task:
        """Add a task.

        Raises:
            NotFoundError: no such queue.
            InvalidArgumentError: a name, time or request that Cloud Tasks refuses.
            AlreadyExistsError: the name is pending, or ended less than `tombstone_s` ago.
        """
        check_task(new)
        queue, now = self._find(queue_name), self._clock()
        name = new.name or f"{queue_name}/tasks/{self._new_id()}"
        if names.queue_of(name) != queue_name:
            raise InvalidArgumentError("The queue in the task's name must be the queue of the request")
        self._check_free(queue, name, now)
        scheduled_at = max(new.scheduled_at or now, now)
        if scheduled_at - now > timedelta(seconds=MAX_SCHEDULE_AHEAD_S):
            raise InvalidArgumentError("The schedule time may be at most 30 days in the future")
        task = Task(
            name=name,
            queue=queue_name,
            target=new.target,
            created_at=now,
            dispatch_deadline_s=new.dispatch_deadline_s,
            retry=new.retry,
            progress=Progress(scheduled_at),
        )
        queue.saved.tasks[name] = task
        self._schedule(queue, task)
        self._journal.task_added(task)
        return task

    def task(self, name: str) -> Task:
        """Raises: NotFoundError: never there, executed, given up or deleted."""
        return self._find_task(name)[1]

    def tasks(self, queue_name: str) -> list[Task]:
        """Return a queue's tasks by name. Raises: NotFoundError."""
        found = self._find(queue_name).saved.tasks
        return [found[name] for name in sorted(found)]

    def delete_task(self, name: str) -> None:
        """Remove a task, even while an attempt runs. Raises: NotFoundError."""
        self._end(*self._find_task(name))

    def run_task(self, name: str) -> Task:
        """Start an attempt now, whatever the rate, the pause, or another running attempt say; take_due hands it out.

        Raises: NotFoundError.
        """
        queue, task = self._find_task(name)
        now = self._clock()
        task.progress = replace(task.progress, scheduled_at=now)
        self._forced.append(self._start(queue, task, now))
        return task

    # Attempts

    def take_due(self, limit: int | None = None) -> list[Attempt]:
        """Start the attempts that may start now, at most `limit`; queues take turns.

        Attempts past their deadline are given up first, as DEADLINE_EXCEEDED.
        """
        now = self._clock()
        self._give_up_overdue(now)
        room = sys.maxsize if limit is None else limit
        started, self._forced = self._forced[:room], self._forced[room:]
        turn = deque(self._queues.values())
        while turn and len(started) < room:
            queue = turn.popleft()
            task = self._next_ready(queue, now)
            if task is not None:
                started.append(self._start(queue, task, now))
                self._queues.move_to_end(task.queue)
                turn.append(queue)
        return started

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """Record how an attempt ended. An attempt that was given up, or whose task is gone, changes nothing."""
        queue = self._queues.get(attempt.task.queue)
        if queue is None or queue.in_flight.pop(attempt.number, None) is None:
            return
        now, task = self._clock(), attempt.task
        if outcome.http_status in OVERLOADED:
            queue.bucket.worker_is_overloaded(now)
        elif outcome.ok:
            queue.bucket.worker_is_well(now)
        task.in_flight -= 1
        if queue.saved.tasks.get(task.name) is not task:
            return
        if outcome.ok:
            self._end(queue, task)
            return
        task.progress = _after_failure(task.progress, attempt, outcome, now)
        if task.in_flight == 0:
            self._retry_or_give_up(queue, task, outcome, now)
        else:
            self._journal.task_moved(task)  # the last attempt to end decides when to retry

    def next_start_at(self) -> datetime | None:
        """Return when the next attempt may start if nothing else happens; None: only an event can start one."""
        now = self._clock()
        times = [now] if self._forced else []
        for queue in self._queues.values():
            head = queue.head()
            if head and not queue.saved.paused and not queue.full:
                times.append(max(head[0], queue.bucket.ready_at(now)))
        return min(times, default=None)

    def next_deadline_at(self) -> datetime | None:
        """Return when the next running attempt is given up."""
        running = (attempt for queue in self._queues.values() for attempt in queue.in_flight.values())
        return min((attempt.deadline_at for attempt in running), default=None)

    # Below: one step each

    def _find(self, name: str) -> _Queue:
        if name not in self._queues:
            raise NotFoundError("Queue does not exist.")
        return self._queues[name]

    def _find_task(self, name: str) -> tuple[_Queue, Task]:
        names.check_task_name(name)
        queue = self._find(names.queue_of(name))
        if name not in queue.saved.tasks:
            raise NotFoundError("The task does not exist; it may have been executed or deleted.")
        return queue, queue.saved.tasks[name]

    def _add_queue(self, settings: QueueSettings) -> None:
        saved = SavedQueue(settings)
        self._queues[settings.name] = _Queue(saved, self._clock())
        self._journal.queue_saved(saved)

    def _set_paused(self, name: str, *, paused: bool) -> QueueSnapshot:
        saved = self._find(name).saved
        saved.paused = paused
        self._journal.queue_saved(saved)
        return self.queue(name)

    def _check_free(self, queue: _Queue, name: str, now: datetime) -> None:
        if name in queue.saved.tasks:
            raise AlreadyExistsError("Requested entity already exists")
        ended_at = queue.saved.ended.get(name)
        if ended_at is not None and (now - ended_at).total_seconds() < self.tombstone_s:
            raise AlreadyExistsError("The task cannot be created because a task with this name existed too recently.")

    def _schedule(self, queue: _Queue, task: Task) -> None:
        task.ticket = next(self._tickets)
        heapq.heappush(queue.schedule, (task.progress.scheduled_at, task.ticket, task.name))

    def _next_ready(self, queue: _Queue, now: datetime) -> Task | None:
        if queue.saved.paused or queue.full:
            return None
        while (head := queue.head()) and head[0] <= now:
            if (now - head[1].created_at).total_seconds() > MAX_TASK_AGE_S:
                self._end(queue, head[1])
                continue
            return head[1] if queue.bucket.take(now) else None
        return None

    def _start(self, queue: _Queue, task: Task, now: datetime) -> Attempt:
        previous = task.progress.last
        task.progress = replace(
            task.progress,
            dispatch_count=task.progress.dispatch_count + 1,
            first_dispatched_at=task.progress.first_dispatched_at or now,
            last=LastAttempt(task.progress.scheduled_at, dispatched_at=now),
        )
        task.ticket = 0  # off the schedule while it runs
        task.in_flight += 1
        deadline_at = now + timedelta(seconds=task.dispatch_deadline_s)
        attempt = Attempt(next(self._attempts), task, task.progress, previous, now, deadline_at)
        queue.in_flight[attempt.number] = attempt
        self._journal.task_moved(task)
        return attempt

    def _give_up_overdue(self, now: datetime) -> None:
        for queue in self._queues.values():
            for attempt in [each for each in queue.in_flight.values() if each.deadline_at <= now]:
                self.finish(attempt, Outcome(None, "DEADLINE_EXCEEDED"))

    def _retry_or_give_up(self, queue: _Queue, task: Task, outcome: Outcome, now: datetime) -> None:
        retry = task.retry or queue.saved.settings.retry
        first_at = task.progress.first_dispatched_at or now
        too_old = (now - task.created_at).total_seconds() > MAX_TASK_AGE_S
        if too_old or retry.exhausted(task.progress.dispatch_count, (now - first_at).total_seconds()):
            self._end(queue, task)
            return
        pause_s = max(retry.backoff_s(task.progress.dispatch_count - 1), outcome.retry_after_s)
        scheduled_at = now + timedelta(seconds=min(pause_s, MAX_SCHEDULE_AHEAD_S))
        task.progress = replace(task.progress, scheduled_at=scheduled_at)
        self._schedule(queue, task)
        self._journal.task_moved(task)

    def _end(self, queue: _Queue, task: Task) -> None:
        now, ended = self._clock(), queue.saved.ended
        del queue.saved.tasks[task.name]
        ended.pop(task.name, None)
        ended[task.name] = now  # a dict keeps this order, so the oldest come first below
        self._journal.task_ended(task, now)
        oldest_kept = now - timedelta(seconds=LONGEST_TOMBSTONE_S)
        free = []
        for name, ended_at in ended.items():
            if ended_at >= oldest_kept:
                break
            free.append(name)
        for name in free:
            del ended[name]
        if free:
            self._journal.tombstones_dropped(task.queue, oldest_kept)


def _after_failure(progress: Progress, attempt: Attempt, outcome: Outcome, now: datetime) -> Progress:
    answered = outcome.http_status is not None
    counts_as_executed = outcome.http_status is not None and not 500 <= outcome.http_status <= 599
    return replace(
        progress,
        response_count=progress.response_count + answered,
        execution_count=progress.execution_count + counts_as_executed,
        last=LastAttempt(
            scheduled_at=attempt.progress.scheduled_at,
            dispatched_at=attempt.dispatched_at,
            responded_at=now,
            http_status=outcome.http_status,
            reason=outcome.reason or f"HTTP status code {outcome.http_status}",
        ),
    )

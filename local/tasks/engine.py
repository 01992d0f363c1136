"""Model, store and clock under one lock: what the gRPC face, the dispatcher and the admin face share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.tasks.clock import JumpClock
from local.tasks.model import DEFAULT_TOMBSTONE_S, LONGEST_TOMBSTONE_S, TaskQueues
from local.tasks.store import SqliteStore
from local.tasks.values import Attempt, InvalidArgumentError, Outcome

_AHEAD = "clock_ahead_s"
_TOMBSTONE = "tombstone_s"


class Engine:
    """Everything that changes goes through `changing`: it is on disk before the caller answers anyone.

    tombstone_s: None keeps what the store remembers, an hour at first.
    """

    def __init__(self, store: SqliteStore, tombstone_s: float | None = None) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._closed = False
        self.clock = JumpClock(store.option(_AHEAD) or 0.0)
        remembered = store.option(_TOMBSTONE)
        self._queues = TaskQueues(
            self.clock,
            tombstone_s=DEFAULT_TOMBSTONE_S if remembered is None else remembered,
            journal=store,
            saved=store.load(),
        )
        if tombstone_s is not None:
            self.set_tombstone(tombstone_s)

    @contextmanager
    def changing(self) -> Iterator[TaskQueues]:
        """Hold the lock, hand out the model, commit, wake the dispatcher."""
        with self._changed:
            try:
                yield self._queues
            finally:
                self._store.commit()  # a refused call has changed nothing, or has dropped what had run out anyway
                self._changed.notify_all()

    @contextmanager
    def reading(self) -> Iterator[TaskQueues]:
        """Hold the lock and hand out the model, to look only."""
        with self._changed:
            yield self._queues

    def wait_for_due(self, free_workers: Callable[[], int], timeout_s: float) -> list[Attempt]:
        """Return attempts to run; none if something changed first, the time is up, or the engine is closed.

        free_workers: how many may be returned. Asked under the lock, so that a worker that gets free before it calls
            `finish` is not overlooked.
        """
        with self._changed:
            if self._closed:
                return []
            free = free_workers()
            attempts = self._queues.take_due(free)
            self._store.commit()
            if not attempts:
                self._changed.wait(min(timeout_s, self._quiet_s(free)))
            return attempts

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """Record an outcome; once closed, drop it: the attempt runs again after the next start."""
        with self._changed:
            if not self._closed:
                self._queues.finish(attempt, outcome)
                self._store.commit()
            self._changed.notify_all()

    @property
    def tombstone_s(self) -> float:
        """How long the name of an ended task stays refused."""
        return self._queues.tombstone_s

    def set_tombstone(self, tombstone_s: float) -> None:
        """Raises: InvalidArgumentError: not between 0 and a day."""
        if not 0 <= tombstone_s <= LONGEST_TOMBSTONE_S:
            raise InvalidArgumentError(f"tombstone_s must be between 0 and {LONGEST_TOMBSTONE_S}")
        with self.changing() as queues:
            queues.tombstone_s = tombstone_s
            self._store.set_option(_TOMBSTONE, tombstone_s)

    def advance(self, seconds: float) -> None:
        """Let the clock jump ahead. Raises: InvalidArgumentError: not between 0 and a year."""
        if not 0 <= seconds <= 366 * 86_400:
            raise InvalidArgumentError("s must be between 0 and a year")
        with self.changing():
            self.clock.ahead_s += seconds
            self._store.set_option(_AHEAD, self.clock.ahead_s)

    def reset(self, *, keep_queues: bool) -> None:
        """Forget tasks, tombstones and clock jumps, and the queues too unless they are kept."""
        with self.changing() as queues:
            self.clock.ahead_s = 0.0
            self._store.set_option(_AHEAD, 0.0)
            queues.reset(keep_queues=keep_queues)

    def close(self) -> None:
        """Stop handing out attempts and let go of the file."""
        with self._changed:
            self._closed = True
            self._store.close()
            self._changed.notify_all()

    def _quiet_s(self, free_workers: int) -> float:
        """Return for how long nothing can happen by itself; at least a millisecond, so that nobody spins."""
        start_at = self._queues.next_start_at() if free_workers else None
        times = [at for at in (start_at, self._queues.next_deadline_at()) if at]
        return max(0.001, (min(times) - self.clock()).total_seconds()) if times else float("inf")

"""Threads that turn due attempts into HTTP requests."""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue

from local.tasks.engine import Engine
from local.tasks.http_call import Mint, request_headers, send
from local.tasks.names import short
from local.tasks.values import Attempt, Outcome

WORKERS = 128
LONGEST_WAIT_S = 5.0  # a laptop that slept meanwhile does not notice that time has passed

log = logging.getLogger(__name__)


class Dispatcher:
    """One thread asks the engine what is due, `workers` threads send. All are daemons: a stop waits for no worker.

    A model that gives an attempt up at its deadline may start the next while the old request still hangs, as Cloud
    Tasks does; the old one's answer is ignored.
    """

    def __init__(self, engine: Engine, mint: Mint, workers: int = WORKERS) -> None:
        self._engine = engine
        self._mint = mint
        self._free = workers
        self._free_lock = threading.Lock()
        self._work: SimpleQueue[Attempt] = SimpleQueue()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(workers)]
        self._loop = threading.Thread(target=self._hand_out, daemon=True)

    def start(self) -> None:
        """Begin to dispatch."""
        for thread in (*self._threads, self._loop):
            thread.start()

    def stop(self) -> None:
        """Start no more attempts. Closing the engine after this wakes whoever still waits."""
        self._stopping.set()

    def _hand_out(self) -> None:
        while not self._stopping.is_set():
            attempts = self._engine.wait_for_due(lambda: self._free, LONGEST_WAIT_S)
            with self._free_lock:
                self._free -= len(attempts)
            for attempt in attempts:
                self._work.put(attempt)

    def _send_all(self) -> None:
        while True:
            attempt = self._work.get()
            outcome = self._try(attempt)
            with self._free_lock:
                self._free += 1
            self._engine.finish(attempt, outcome)

    def _try(self, attempt: Attempt) -> Outcome:
        try:
            headers = request_headers(attempt, self._mint)
            return send(attempt.task.target, headers, attempt.task.dispatch_deadline_s)
        except Exception:  # a worker thread must survive whatever one task brings, or its slot is lost for good
            log.exception("attempt failed before it was sent: task %s", short(attempt.task.name))
            return Outcome(None, "UNAVAILABLE")

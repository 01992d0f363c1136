"""What the tests of the emulator share: a clock that stands still, a worker that answers as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.tasks.model import TaskQueues
from local.tasks.values import HttpTarget, NewTask, Outcome, QueueSettings, RateLimits, RetryConfig

LOCATION = "projects/demo/locations/europe-west1"
QUEUE = f"{LOCATION}/queues/mailbox-sync"
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class StillClock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Simulation:
    """One queue on a still clock."""

    def __init__(
        self, rate: RateLimits | None = None, retry: RetryConfig | None = None, tombstone_s: float = 3600
    ) -> None:
        self.clock = StillClock()
        self.queues = TaskQueues(self.clock, tombstone_s=tombstone_s)
        self.queues.create_queue(QueueSettings(QUEUE, rate or RateLimits(), retry or RetryConfig()))

    def create(self, task_id: str = "", **fields: Any) -> str:
        name = f"{QUEUE}/tasks/{task_id}" if task_id else ""
        return self.queues.create_task(QUEUE, NewTask(HttpTarget("http://worker.example/"), name, **fields)).name

    def run_due(self, status: int = 200) -> int:
        """Answer every attempt that is due; return how many there were."""
        attempts = self.queues.take_due()
        for attempt in attempts:
            self.queues.finish(attempt, Outcome(status))
        return len(attempts)

    def dispatch_times(self, status: int, wanted: int) -> list[float]:
        """Answer all attempts with `status` for as long as there are any, at most `wanted`; return when they ran."""
        times: list[float] = []
        while len(times) < wanted and (at := self.queues.next_start_at()):
            self.clock.now = max(at, self.clock.now)
            times += [round((self.clock.now - START).total_seconds(), 3)] * self.run_due(status)
        return times


@dataclass
class Call:
    """A request as the worker saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Worker:
    """A local HTTP server. `answers` are given in turn, then 200; an answer is a status and headers."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        worker = self
        self.hold.set()

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                worker.calls.append(Call(self.command, self.path, dict(self.headers), body))
                status, headers = worker.answers.pop(0) if worker.answers else (200, {})
                worker.hold.wait()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST = answer  # noqa: N815 - the names http.server calls

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/work"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Return as soon as the condition holds; fail if it never does."""
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up, "the awaited state never came"
        time.sleep(0.01)

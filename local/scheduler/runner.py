"""Runs one job whenever it is due, never twice at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from local.cloud.serving import log_lines
from local.scheduler.jobs import Job

_log = log_lines("scheduler")


class AlreadyRunningError(Exception):
    """The job runs at this moment; Cloud Scheduler never overlaps two runs of one job."""


@dataclass(frozen=True, slots=True)
class Run:
    """How one run ended: the status of its last attempt, 0 if that got no answer."""

    job: str
    due_at: datetime
    status: int
    attempts: int

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


class Runner:
    """Fires one job at its times, in a thread of its own, until stopped.

    A time that comes while the job still runs is skipped, as is every time missed while the machine slept.
    """

    def __init__(
        self,
        job: Job,
        attempt: Callable[[Job, datetime], int],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Args:
        attempt: calls the function once and returns its status.
        now: the current time, aware UTC.
        """
        self.job = job
        self.last: Run | None = None
        self._attempt = attempt
        self._now = now
        self._busy = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._fire_when_due, name=f"job-{job.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._busy.locked()

    def run_now(self, due_at: datetime | None = None) -> Run:
        """Run the job once, with its retries, and return how it ended.

        Raises:
            AlreadyRunningError: the job runs already; nothing was done.
        """
        if not self._busy.acquire(blocking=False):
            raise AlreadyRunningError(self.job.name)
        try:
            self.last = self._run(due_at or self._now())
        finally:
            self._busy.release()
        return self.last

    def _fire_when_due(self) -> None:
        due_at = self.job.due_after(self._now())
        while not self._stopping.wait(max(0.0, (due_at - self._now()).total_seconds())):
            try:
                self.run_now(due_at)
            except AlreadyRunningError:
                _log.warning("skipped: still running", extra={"fields": {"job": self.job.name}})
            due_at = self.job.due_after(self._now())

    def _run(self, due_at: datetime) -> Run:
        settings = self.job.settings
        backoff_s = settings.min_backoff_s
        run = Run(self.job.name, due_at, self._attempt(self.job, due_at), attempts=1)
        while not run.succeeded and run.attempts <= settings.retries and not self._stopping.wait(backoff_s):
            run = Run(self.job.name, due_at, self._attempt(self.job, due_at), run.attempts + 1)
            backoff_s = min(backoff_s * 2, settings.max_backoff_s)
        fields = {"job": run.job, "due_at": run.due_at, "status": run.status, "attempts": run.attempts}
        _log.info("ran" if run.succeeded else "failed", extra={"fields": fields})
        return run

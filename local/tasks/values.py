"""The words of the queue model: plain values, no sockets, no Google message classes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

DAY_S = 86_400
MAX_SCHEDULE_AHEAD_S = 30 * DAY_S
MAX_TASK_AGE_S = 31 * DAY_S
DEFAULT_DISPATCH_DEADLINE_S = 600.0

Method = Literal["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]


class TasksError(Exception):
    """A refused call. Its subclasses carry the names of the gRPC status codes."""


class NotFoundError(TasksError):
    """NOT_FOUND."""


class AlreadyExistsError(TasksError):
    """ALREADY_EXISTS: the name is in use, or was until a moment ago."""


class InvalidArgumentError(TasksError):
    """INVALID_ARGUMENT: the same call can never succeed."""


class UnsupportedError(TasksError):
    """UNIMPLEMENTED: Cloud Tasks can do it, this emulator cannot."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How fast a queue may start attempts. Defaults and ceilings are those of Cloud Tasks."""

    max_dispatches_per_second: float = 500.0
    max_concurrent_dispatches: int = 1000

    @property
    def max_burst_size(self) -> int:
        """Tokens the bucket holds: Cloud Tasks documents "generally at least" one second's worth."""
        return max(1, math.ceil(self.max_dispatches_per_second))


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """When a failed task is tried again, and when it is given up.

    max_attempts: first attempt included; -1 sets no limit.
    max_retry_duration_s: counted from the first attempt; 0 sets no limit.
    A task is given up when every limit that is set has been reached; with neither set, never (until it is 31 days old).
    """

    max_attempts: int = 100
    max_retry_duration_s: float = 0.0
    min_backoff_s: float = 0.1
    max_backoff_s: float = 3600.0
    max_doublings: int = 16

    def backoff_s(self, retry: int) -> float:
        """Return the pause before retry number `retry` (from 0): doubling, then linear, then the maximum.

        With 10, 300 and 3 doublings: 10, 20, 40, 80, 160, 240, 300, 300 seconds.
        """
        doublings = min(retry, self.max_doublings, 60)  # 2**60 is past any maximum
        steps = 1 + max(0, retry - self.max_doublings)
        return min(self.max_backoff_s, self.min_backoff_s * 2.0**doublings * steps)

    def exhausted(self, attempts: int, since_first_s: float) -> bool:
        """Tell whether a task with so many attempts, the first of them so long ago, is given up."""
        limits = []
        if self.max_attempts != -1:
            limits.append(attempts >= self.max_attempts)
        if self.max_retry_duration_s > 0:
            limits.append(since_first_s >= self.max_retry_duration_s)
        return bool(limits) and all(limits)


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """A queue as its owner declares it. `name` is "projects/P/locations/L/queues/Q"."""

    name: str
    rate: RateLimits = field(default_factory=RateLimits)
    retry: RetryConfig = field(default_factory=RetryConfig)


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """The request a task makes. With `oidc_email` set, a token for `oidc_audience` (default: the URL) goes along."""

    url: str
    method: Method = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    oidc_email: str = ""
    oidc_audience: str = ""


@dataclass(frozen=True, slots=True)
class NewTask:
    """What CreateTask asks for.

    name: "<queue>/tasks/<id>", or empty for a random id.
    scheduled_at: aware UTC; None or a past time means now.
    retry: replaces the queue's settings for this task.
    """

    target: HttpTarget
    name: str = ""
    scheduled_at: datetime | None = None
    dispatch_deadline_s: float = DEFAULT_DISPATCH_DEADLINE_S
    retry: RetryConfig | None = None


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """The newest attempt. `responded_at` None: it is running, or the emulator died while it ran."""

    scheduled_at: datetime
    dispatched_at: datetime
    responded_at: datetime | None = None
    http_status: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The part of a task that changes.

    dispatch_count: attempts started. response_count: those that were answered. execution_count: answered, not by 5xx.
    """

    scheduled_at: datetime
    dispatch_count: int = 0
    response_count: int = 0
    execution_count: int = 0
    first_dispatched_at: datetime | None = None
    last: LastAttempt | None = None


@dataclass(slots=True)
class Task:
    """A task in a queue.

    in_flight: attempts running now; RunTask can make them two.
    ticket: which entry of the queue's schedule is the valid one; belongs to the model.
    """

    name: str
    queue: str
    target: HttpTarget
    created_at: datetime
    dispatch_deadline_s: float
    retry: RetryConfig | None
    progress: Progress
    in_flight: int = 0
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One dispatch, to be answered by `finish`. `progress` is the task's as this attempt started."""

    number: int
    task: Task
    progress: Progress
    previous: LastAttempt | None
    dispatched_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    http_status: None when no answer came; `reason` then says why: "UNAVAILABLE" or "DEADLINE_EXCEEDED".
    retry_after_s: the worker's Retry-After.
    """

    http_status: int | None
    reason: str = ""
    retry_after_s: float = 0.0

    @property
    def ok(self) -> bool:
        """2xx; a redirect is a failure."""
        return self.http_status is not None and 200 <= self.http_status <= 299


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """A queue at one moment.

    depth: tasks kept, those in flight included. due: those that should run now. pace: share of the configured rate
    that is used; below 1 while the worker answers 429 or 503.
    """

    settings: QueueSettings
    paused: bool
    purged_at: datetime | None
    depth: int
    due: int
    in_flight: tuple[str, ...]
    next_at: datetime | None
    pace: float

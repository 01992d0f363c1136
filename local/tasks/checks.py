"""What Cloud Tasks refuses as INVALID_ARGUMENT. Source: field descriptions of cloudtasks.v2 and its quotas page."""

from __future__ import annotations

from local.tasks import names
from local.tasks.values import HttpTarget, InvalidArgumentError, NewTask, QueueSettings, RetryConfig

MAX_RATE_PER_S = 500
MAX_CONCURRENT = 5000
MAX_URL_CHARS = 2083
MAX_HEADER_BYTES = 80 * 1024
DISPATCH_DEADLINE_S = (15, 30 * 60)
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")


def check_queue(settings: QueueSettings) -> None:
    """Raise InvalidArgumentError if a queue may not be called or set up like this."""
    names.check_queue_name(settings.name)
    rate = settings.rate
    _require(
        0 < rate.max_dispatches_per_second <= MAX_RATE_PER_S, f"maxDispatchesPerSecond must be in (0, {MAX_RATE_PER_S}]"
    )
    _require(
        1 <= rate.max_concurrent_dispatches <= MAX_CONCURRENT,
        f"maxConcurrentDispatches must be in [1, {MAX_CONCURRENT}]",
    )
    _check_retry(settings.retry)


def check_task(new: NewTask) -> None:
    """Raise InvalidArgumentError if a task's own fields are wrong; its queue and its time are not looked at."""
    if new.name:
        names.check_task_name(new.name)
    shortest, longest = DISPATCH_DEADLINE_S
    _require(shortest <= new.dispatch_deadline_s <= longest, "Task.dispatchDeadline must be between [15s, 30m].")
    if new.retry:
        _check_retry(new.retry)
    _check_target(new.target)


def _check_target(target: HttpTarget) -> None:
    _require(target.url.startswith(("http://", "https://")), "HttpRequest.url must start with http:// or https://")
    _require(len(target.url) <= MAX_URL_CHARS, f"HttpRequest.url must be at most {MAX_URL_CHARS} characters")
    header_bytes = sum(len(name.encode()) + len(value.encode()) for name, value in target.headers.items())
    _require(header_bytes < MAX_HEADER_BYTES, "The headers must be less than 80KB")
    _require(not target.body or target.method in METHODS_WITH_BODY, "A body is allowed only for POST, PUT and PATCH")


def _check_retry(retry: RetryConfig) -> None:
    _require(retry.max_attempts >= -1, "maxAttempts must be at least -1")
    _require(retry.max_retry_duration_s >= 0, "maxRetryDuration must not be negative")
    _require(0 <= retry.min_backoff_s <= retry.max_backoff_s, "minBackoff must not exceed maxBackoff")
    _require(retry.max_doublings >= 0, "maxDoublings must not be negative")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidArgumentError(message)

"""Between the message classes of google-cloud-tasks and the values of the model.

Unset numbers mean the default, as in proto3: a queue created without rate limits gets 500 a second, 1000 at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import TypeVar, get_args

import grpc
from google.cloud.tasks_v2 import types

from local.tasks.values import (
    DEFAULT_DISPATCH_DEADLINE_S,
    HttpTarget,
    InvalidArgumentError,
    LastAttempt,
    Method,
    NewTask,
    QueueSettings,
    QueueSnapshot,
    RateLimits,
    RetryConfig,
    Task,
    UnsupportedError,
)

METHODS: tuple[Method, ...] = get_args(Method)
MAX_TASK_BYTES = 100 * 1024
Settings = TypeVar("Settings", RateLimits, RetryConfig)
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


def settings_from(message: types.Queue) -> QueueSettings:
    """Raises: UnsupportedError: targets or routing declared on the queue."""
    if "http_target" in message or "app_engine_routing_override" in message:
        raise UnsupportedError("Targets are set on tasks here, not on queues")
    wanted, default = message.rate_limits, RateLimits()
    rate = RateLimits(
        max_dispatches_per_second=wanted.max_dispatches_per_second or default.max_dispatches_per_second,
        max_concurrent_dispatches=wanted.max_concurrent_dispatches or default.max_concurrent_dispatches,
    )
    return QueueSettings(message.name, rate, _retry_from(message.retry_config))


def queue_message(queue: QueueSnapshot) -> types.Queue:
    """Return a queue as GetQueue does, defaults filled in."""
    settings = queue.settings
    return types.Queue(
        name=settings.name,
        rate_limits=types.RateLimits(
            max_dispatches_per_second=settings.rate.max_dispatches_per_second,
            max_burst_size=settings.rate.max_burst_size,
            max_concurrent_dispatches=settings.rate.max_concurrent_dispatches,
        ),
        retry_config=_retry_message(settings.retry),
        state=types.Queue.State.PAUSED if queue.paused else types.Queue.State.RUNNING,
        purge_time=queue.purged_at,
    )


def updated_settings(current: QueueSnapshot | None, message: types.Queue, paths: Sequence[str]) -> QueueSettings:
    """Return what UpdateQueue leaves: the fields of `paths` from `message`, the others as they are.

    paths: "rate_limits", "retry_config", or one of their fields; without any, all fields are replaced.
    Raises: InvalidArgumentError: a field that cannot be updated; UnsupportedError.
    """
    wanted = settings_from(message)
    if not paths or current is None:
        return wanted
    settings = current.settings
    for path in paths:
        group, _, field = path.partition(".")
        if group == "rate_limits":
            settings = replace(settings, rate=_merged(settings.rate, wanted.rate, field))
        elif group == "retry_config":
            settings = replace(settings, retry=_merged(settings.retry, wanted.retry, field))
        else:
            raise InvalidArgumentError(f"{path} cannot be updated")
    return settings


def new_task_from(message: types.Task) -> NewTask:
    """Raises: InvalidArgumentError: too large, or without a target; UnsupportedError: App Engine, OAuth tokens."""
    if types.Task.pb(message).ByteSize() > MAX_TASK_BYTES:
        raise InvalidArgumentError("Task size too large. Task size must be at most 100KB.")
    if "app_engine_http_request" in message:
        raise UnsupportedError("App Engine targets are not emulated")
    if "http_request" not in message:
        raise InvalidArgumentError("Task.httpRequest must be set")
    deadline = message.dispatch_deadline
    return NewTask(
        target=_target_from(message.http_request),
        name=message.name,
        scheduled_at=message.schedule_time or None,
        dispatch_deadline_s=deadline.total_seconds() if deadline else DEFAULT_DISPATCH_DEADLINE_S,
        retry=_retry_from(message.retry_config) if "retry_config" in message else None,
    )


def task_message(task: Task, view: types.Task.View) -> types.Task:
    """Return a task as GetTask does; its body only in the FULL view."""
    full = view == types.Task.View.FULL
    progress = task.progress
    message = types.Task(
        name=task.name,
        http_request=_request_message(task.target, with_body=full),
        schedule_time=progress.scheduled_at,
        create_time=task.created_at.replace(microsecond=0),
        dispatch_deadline=timedelta(seconds=task.dispatch_deadline_s),
        dispatch_count=progress.dispatch_count,
        response_count=progress.response_count,
        view=types.Task.View.FULL if full else types.Task.View.BASIC,
    )
    if task.retry:
        message.retry_config = _retry_message(task.retry)
    if progress.first_dispatched_at:
        message.first_attempt = types.Attempt(dispatch_time=progress.first_dispatched_at)
    if progress.last:
        message.last_attempt = _attempt_message(progress.last)
    return message


def _merged(current: Settings, wanted: Settings, field: str) -> Settings:
    """Return `current` with one field of `wanted`, or all of `wanted` if no field is named."""
    if not field:
        return wanted
    name = field if hasattr(wanted, field) else f"{field}_s"  # durations are named with their unit here
    if name not in {each.name for each in fields(wanted)}:
        raise InvalidArgumentError(f"{field} cannot be updated")
    return replace(current, **{name: getattr(wanted, name)})


def _retry_from(message: types.RetryConfig) -> RetryConfig:
    default = RetryConfig()
    return RetryConfig(
        max_attempts=message.max_attempts or default.max_attempts,
        max_retry_duration_s=_seconds(message.max_retry_duration, default.max_retry_duration_s),
        min_backoff_s=_seconds(message.min_backoff, default.min_backoff_s),
        max_backoff_s=_seconds(message.max_backoff, default.max_backoff_s),
        max_doublings=message.max_doublings or default.max_doublings,
    )


def _retry_message(retry: RetryConfig) -> types.RetryConfig:
    return types.RetryConfig(
        max_attempts=retry.max_attempts,
        max_retry_duration=timedelta(seconds=retry.max_retry_duration_s),
        min_backoff=timedelta(seconds=retry.min_backoff_s),
        max_backoff=timedelta(seconds=retry.max_backoff_s),
        max_doublings=retry.max_doublings,
    )


def _seconds(duration: timedelta | None, default: float) -> float:
    return duration.total_seconds() if duration else default


def _target_from(message: types.HttpRequest) -> HttpTarget:
    if "oauth_token" in message:
        raise UnsupportedError("OAuth tokens are not emulated; OIDC tokens are")
    return HttpTarget(
        url=message.url,
        method=_method_from(message.http_method),
        headers=dict(message.headers),
        body=message.body,
        oidc_email=message.oidc_token.service_account_email,
        oidc_audience=message.oidc_token.audience,
    )


def _method_from(number: int) -> Method:
    if number == types.HttpMethod.HTTP_METHOD_UNSPECIFIED:
        return "POST"
    for method in METHODS:
        if number == getattr(types.HttpMethod, method):
            return method
    raise InvalidArgumentError("HttpRequest.httpMethod is unknown")


def _request_message(target: HttpTarget, *, with_body: bool) -> types.HttpRequest:
    message = types.HttpRequest(url=target.url, http_method=target.method, headers=target.headers)
    if with_body:
        message.body = target.body
    if target.oidc_email:
        message.oidc_token = types.OidcToken(
            service_account_email=target.oidc_email, audience=target.oidc_audience or target.url
        )
    return message


def _attempt_message(attempt: LastAttempt) -> types.Attempt:
    message = types.Attempt(schedule_time=attempt.scheduled_at, dispatch_time=attempt.dispatched_at)
    if attempt.responded_at:
        message.response_time = attempt.responded_at
        message.response_status = {"code": _code(attempt), "message": attempt.reason}
    return message


def _code(attempt: LastAttempt) -> int:
    """Return the google.rpc.Code of an attempt."""
    if attempt.http_status is None:
        code = grpc.StatusCode[attempt.reason]
    else:
        code = _CODES.get(attempt.http_status, grpc.StatusCode.UNKNOWN)
    return int(code.value[0])

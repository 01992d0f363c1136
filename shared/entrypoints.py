"""What each caller of a function is told, by the error the function let through.

Under @http_endpoint people's requests get their data or a problem they can read (RFC 9457). Under the other four,
machines get a status: 2xx done or parked, 503 again, 401 not proven, 500 our bug. Push, task and schedule endpoints
prove their caller themselves, also where IAM did before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import wraps
from io import BytesIO
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from shared import log
from shared.domain.ids import digest
from shared.domain.values import dataclass
from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    ForbiddenError,
    InputError,
    NotFoundError,
    PayloadError,
    PermanentError,
    ProofError,
    ProviderUnavailableError,
    RateLimitedError,
    RetryableError,
    TooLargeError,
)
from shared.ports.tasks import Task

RETRY_AFTER_S = 10
LAST_ENTRY = 20
"""A task that is entered for the 20th time is parked before it works."""

ANEW_AFTER = 10
"""A task that was told "again" so often begins anew under another name: an outage is no strike against it."""

ANEW_IN = timedelta(minutes=2)
"""Sooner than the poll takes a queued row's task for lost."""

OUTAGE_AT_MOST = timedelta(days=1)
FAILING_SINCE = "failing_since"
"""Where a task that began anew says when it did so first (ISO). After a day of that it is left to its 20th entry."""

LARGEST_BODY = 1024 * 1024
"""Bytes of a body that is read unless its function asks for more; a task holds no more either."""

LARGEST_PUSH = 14 * 1024 * 1024
"""Bytes. Source: cloud.google.com/pubsub/quotas, 10 MB a message, here in base64."""

Endpoint = Callable[[Request], Response]

_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    409: "Not possible now",
    413: "Too large",
    500: "Failed",
    503: "Not available",
}


@dataclass(frozen=True, slots=True)
class Push:
    """One delivery of a Pub/Sub message. subscription: its full name. delivery_attempt: from 1, if it is counted."""

    data: bytes
    attributes: Mapping[str, str]
    message_id: str
    delivery_attempt: int | None
    subscription: str


@dataclass(frozen=True, slots=True)
class TaskCall:
    """One dispatch of a task. attempt: dispatches before this one. execution: answers before this one, 5xx left out."""

    payload: Mapping[str, Any]
    name: str
    attempt: int
    execution: int


@dataclass(frozen=True, slots=True)
class ScheduleCall:
    """One run of a job. scheduled_at: when it was meant to run (aware UTC), the same for every try of this run."""

    job: str
    scheduled_at: datetime


# ------------------------------------------------------------------------------------------------------- for people


def http_endpoint(function: Callable[[Request], Response | Mapping[str, Any] | None]) -> Endpoint:
    """Answer with what the function returns: a Response, a map as JSON, or nothing as 204."""

    @wraps(function)
    def endpoint(request: Request) -> Response:
        name = function.__name__
        with log.trace(request.headers.get("traceparent")):
            try:
                with _whole_body():
                    result = function(request)
                if isinstance(result, Response):
                    return result
                return _json(200, result) if result is not None else _done()
            except RetryableError as error:
                log.event("request.postponed", severity="WARNING", function=name, error=type(error).__name__)
                return _problem(503, "again", "This is not possible right now. Please try again in a moment.", error)
            except PermanentError as error:
                log.event("request.refused", function=name, error=type(error).__name__)
                return _refusal(error)
            except Exception as error:
                log.exception("function.failed", error, function=name)
                return _problem(500, "failed", "Something went wrong on our side. We have a record of it.")

    return _bounded(endpoint, LARGEST_BODY)


def page_endpoint(function: Callable[[Request], Response]) -> Endpoint:
    """For people outside, in a browser: what went wrong is a page with one sentence."""

    @wraps(function)
    def endpoint(request: Request) -> Response:
        from shared.web_page import message_page

        answer = http_endpoint(function)(request)
        if answer.mimetype != "application/problem+json":
            return answer
        problem = json.loads(answer.get_data())
        page = message_page(problem["status"], problem["title"], problem["detail"])
        if "Retry-After" in answer.headers:
            page.headers["Retry-After"] = answer.headers["Retry-After"]
        return page

    return endpoint


def _refusal(error: PermanentError) -> Response:
    match error:
        case InputError():
            return _problem(400, "input", str(error))
        case PayloadError():
            return _problem(400, "unreadable", "What was sent cannot be read.")
        case ProofError():
            return _problem(401, "sign-in", "Please sign in again.")
        case ForbiddenError():
            return _problem(
                403, "forbidden", "You may not do this. Someone who administers your organization can allow it."
            )
        case NotFoundError():
            return _problem(404, "not-found", "This does not exist, or does not exist any more.")
        case ConnectionRevokedError():
            return _problem(409, "reconnect", "The connection to this account has ended. Please connect it again.")
        case AdminActionError(reason=reason):
            return _problem(409, reason, "An administrator at the other service has to act before this can work.")
        case TooLargeError():
            return _problem(413, "too-large", "This is too large to be taken.")
        case _:
            return _problem(409, "conflict", "This cannot be done in the present state.")


def _problem(status: int, code: str, detail: str, error: RetryableError | None = None) -> Response:
    answer = _json(status, {"title": _TITLES[status], "status": status, "code": code, "detail": detail})
    answer.mimetype = "application/problem+json"
    if error is not None:
        answer.headers["Retry-After"] = _retry_after(error)
    return answer


# ------------------------------------------------------------------------------------------------------ for vendors


def webhook_endpoint(function: Callable[[Request], Response | None]) -> Endpoint:
    """204, or the Response the vendor's handshake needs. The function proves its caller before it reads anything."""

    @wraps(function)
    def endpoint(request: Request) -> Response:
        name = function.__name__

        def work() -> Response:
            try:
                with _whole_body():
                    answer = function(request)
                return _done() if answer is None else answer
            except (ProofError, TooLargeError):
                raise
            except PermanentError as error:
                body_digest = hashlib.sha256(request.get_data()).hexdigest()
                _park("webhook", digest(name, body_digest), error, {"function": name, "body_sha256": body_digest})
                return Response(status=202)

        return _answered(name, request.headers.get("traceparent"), work, says_when=True)

    return _bounded(endpoint, LARGEST_BODY)


# ----------------------------------------------------------------------------------------------------- for our queues


def push_endpoint(function: Callable[[Push], None]) -> Endpoint:
    """A Pub/Sub push subscription's endpoint; what cannot be done is parked, so that it does not come again."""

    @wraps(function)
    def endpoint(request: Request) -> Response:
        name = function.__name__

        def work() -> Response:
            _prove_caller(name, request)
            try:
                push = _push(request)
            except PayloadError as error:
                return _park_body("push", name, request, error)
            with log.trace(push.attributes.get("traceparent") or log.traceparent()):
                try:
                    function(push)
                except ProofError:
                    raise
                except PermanentError as error:
                    ids = {"function": name, "message": push.message_id, "subscription": push.subscription}
                    attempt = {"attempt": str(push.delivery_attempt)} if push.delivery_attempt is not None else {}
                    _park("push", digest(name, push.message_id), error, ids | attempt)
            return _done()

        return _answered(name, request.headers.get("traceparent"), work)

    return _bounded(endpoint, LARGEST_PUSH)


def task_endpoint(function: Callable[[TaskCall], None]) -> Endpoint:
    """A task's endpoint. A rate limit, or an outage that lasts, queues the task anew under another name; a connection
    that waits for a person ends it, since its row in the ledger waits too.
    """

    @wraps(function)
    def endpoint(request: Request) -> Response:
        name = function.__name__

        def work() -> Response:
            _prove_caller(name, request)
            queue = request.headers.get("X-CloudTasks-QueueName", "")
            try:
                call = _task_call(request)
            except PayloadError as error:
                return _park_body("task", name, request, error)
            try:
                if call.attempt + 1 >= LAST_ENTRY:
                    raise _TriedOftenEnoughError(f"entered {LAST_ENTRY} times")
                function(call)
            except RateLimitedError as error:
                _reschedule(name, queue, call, error.resume_at)
            except RetryableError:
                if not _begun_anew(name, queue, call):
                    raise
            except (ConnectionRevokedError, AdminActionError) as error:
                log.event("task.ended", function=name, queue=queue, task=call.name, error=type(error).__name__)
            except ProofError:
                raise
            except PermanentError as error:
                ids = {"function": name, "queue": queue, "task": call.name, "attempt": str(call.attempt)}
                _park("task", call.name, error, ids | {"payload": json.dumps(call.payload)})
            return _done()

        return _answered(name, request.headers.get("traceparent"), work)

    return _bounded(endpoint, LARGEST_BODY)


def schedule_endpoint(function: Callable[[ScheduleCall], None]) -> Endpoint:
    """A Cloud Scheduler job's endpoint."""

    @wraps(function)
    def endpoint(request: Request) -> Response:
        name = function.__name__

        def work() -> Response:
            _prove_caller(name, request)
            try:
                call = _schedule_call(request)
            except PayloadError as error:
                return _park_body("schedule", name, request, error)
            try:
                function(call)
            except ProofError:
                raise
            except PermanentError as error:
                ids = {"function": name, "job": call.job, "scheduled_at": call.scheduled_at.isoformat()}
                _park("schedule", digest(name, call.job, call.scheduled_at.isoformat()), error, ids)
            return _done()

        return _answered(name, request.headers.get("traceparent"), work)

    return _bounded(endpoint, LARGEST_BODY)


class _TriedOftenEnoughError(PermanentError):
    """Not an error of the work: it was never given the chance."""


def _reschedule(function: str, queue: str, call: TaskCall, resume_at: datetime) -> None:
    """Queue the same work for `resume_at`. Its name is the old one and the second, so a repeat makes no second one."""
    name = digest(call.name, int(resume_at.timestamp()))
    from shared import wiring

    wiring.tasks().create([Task(queue, function, name, call.payload, not_before=resume_at)])
    log.event("task.rescheduled", function=function, queue=queue, task=call.name, resume_at=resume_at.isoformat())


def _begun_anew(function: str, queue: str, call: TaskCall) -> bool:
    """Whether the task's tries are counted from the beginning again, under one name however often this is done.

    Its entries count what dies without an answer. This one answered: what it needs is down.
    """
    from shared import wiring

    now = wiring.clock().now()
    since = str(call.payload.get(FAILING_SINCE) or now.isoformat())
    if call.attempt + 1 < ANEW_AFTER or now - datetime.fromisoformat(since) > OUTAGE_AT_MOST:
        return False
    payload = {**call.payload, FAILING_SINCE: since}
    again = Task(queue, function, digest(call.name, "anew"), payload, not_before=now + ANEW_IN)
    wiring.tasks().create([again])
    log.event("task.began_anew", severity="WARNING", function=function, queue=queue, task=call.name, since=since)
    return True


# ------------------------------------------------------------------------------------------------ reading requests


def _prove_caller(function: str, request: Request) -> None:
    from shared import wiring  # late, here and below: it reads the environment and builds the real world

    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    wiring.service_tokens().verify(bearer, wiring.function_url(function))


def _push(request: Request) -> Push:
    """Source: docs.cloud.google.com/pubsub/docs/push, "Receive push messages" (wrapped)."""
    body = _json_object(request)
    message = body.get("message")
    if not isinstance(message, dict):
        raise PayloadError("a push without a message")
    message_id, subscription, attempt = message.get("messageId"), body.get("subscription"), body.get("deliveryAttempt")
    if not isinstance(message_id, str) or not isinstance(subscription, str) or not isinstance(attempt, int | None):
        raise PayloadError("a push without its ids")
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise PayloadError("a push whose attributes are no texts")
    try:
        data = base64.b64decode(message.get("data") or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise PayloadError("a push whose data is not base64") from error
    return Push(data, attributes, message_id, attempt, subscription)


def _task_call(request: Request) -> TaskCall:
    """Source: cloud.google.com/tasks/docs/creating-http-target-tasks, "Handler request headers"."""
    name = request.headers.get("X-CloudTasks-TaskName")
    if not name:
        raise PayloadError("a task without its name")
    try:
        attempt = int(request.headers.get("X-CloudTasks-TaskRetryCount", "0"))
        execution = int(request.headers.get("X-CloudTasks-TaskExecutionCount", "0"))
    except ValueError as error:
        raise PayloadError("a task whose counts are no numbers") from error
    return TaskCall(_json_object(request), name, attempt, execution)


def _schedule_call(request: Request) -> ScheduleCall:
    """Source: the X-CloudScheduler headers; ScheduleTime is RFC 3339 in the job's time zone."""
    job = request.headers.get("X-CloudScheduler-JobName")
    try:
        scheduled_at = datetime.fromisoformat(request.headers.get("X-CloudScheduler-ScheduleTime", ""))
        in_utc = scheduled_at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PayloadError("a job without its time") from error
    if not job or scheduled_at.tzinfo is None:
        raise PayloadError("a job without its name or zone")
    return ScheduleCall(job, in_utc)


def _bounded(endpoint: Endpoint, most: int) -> Endpoint:
    """Let no more than `most` bytes of the body be read, and nothing after the answer.

    The framework reads what is left of a body into memory once a function has answered, a stranger's as well.
    """

    @wraps(endpoint)
    def bounded(request: Request) -> Response:
        request.max_content_length = most
        try:
            return endpoint(request)
        finally:
            request.stream = BytesIO()

    return bounded


@contextmanager
def _whole_body() -> Iterator[None]:
    """A body that is larger than it may be, or ends before its stated size, in our words."""
    try:
        yield
    except RequestEntityTooLarge as error:
        raise TooLargeError("a body that is larger than it may be") from error
    except ClientDisconnected as error:
        raise ProviderUnavailableError("a body that ends too early") from error


def _json_object(request: Request) -> Mapping[str, Any]:
    from shared.domain.json_text import read_json

    try:
        with _whole_body():
            found = read_json(request.get_data())
    except ValueError as error:
        raise PayloadError("a body that is not JSON") from error
    if not isinstance(found, dict):
        raise PayloadError("a body that is not a JSON object")
    return found


# ------------------------------------------------------------------------------------------------------ answering


def _answered(
    function: str, traceparent: str | None, work: Callable[[], Response], *, says_when: bool = False
) -> Response:
    """Run `work` within the caller's trace. says_when: tell when to come again; our queues know by themselves."""
    with log.trace(traceparent):
        try:
            return work()
        except ProofError:
            log.event("proof.refused", severity="WARNING", function=function)
            return Response(status=401)
        except TooLargeError:
            log.event("delivery.refused", severity="WARNING", function=function, error="TooLargeError")
            return Response(status=413)
        except RetryableError as error:
            log.event("work.postponed", severity="WARNING", function=function, error=type(error).__name__)
            headers = {"Retry-After": _retry_after(error)} if says_when or isinstance(error, RateLimitedError) else {}
            return Response(status=503, headers=headers)
        except Exception as error:
            log.exception("function.failed", error, function=function)
            return Response(status=500)


def _park_body(kind: str, function: str, request: Request, error: PayloadError) -> Response:
    """Park a body nobody can read by its hash: the sender proved who it is and would send it again and again."""
    with _whole_body():
        body_digest = hashlib.sha256(request.get_data()).hexdigest()
    _park(kind, digest(function, body_digest), error, {"function": function, "body_sha256": body_digest})
    return _done()


def _park(kind: str, key: str, error: PermanentError, ids: Mapping[str, str]) -> None:
    from shared import wiring

    speaks = not isinstance(error, InputError)  # an InputError's words are for one person alone
    reason = f"{type(error).__name__.lstrip('_')}: {error}" if speaks else type(error).__name__
    wiring.park(kind, key, reason, ids)
    log.event("work.parked", severity="ERROR", kind=kind, key=key, error=type(error).__name__.lstrip("_"))


def _retry_after(error: RetryableError) -> str:
    if isinstance(error, RateLimitedError):
        return format_datetime(error.resume_at, usegmt=True)
    return str(RETRY_AFTER_S)


def _done() -> Response:
    return Response(status=204)


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return Response(json.dumps(content), status=status, mimetype="application/json")

"""One attempt as an HTTP request: the headers Cloud Tasks sends, and the answer as an `Outcome`.

Source: docs.cloud.google.com/tasks/docs/creating-http-target-tasks ("Writing an HTTP target task handler"), and
HttpRequest in cloudtasks.v2.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from local.tasks.checks import METHODS_WITH_BODY
from local.tasks.names import short
from local.tasks.values import Attempt, HttpTarget, Outcome

Mint = Callable[[str, str], str]
"""(audience, service account email) -> OIDC token."""

READ_LIMIT = 64 * 1024
_OURS = {"host", "content-length", "user-agent", "connection", "transfer-encoding"}
_OUR_PREFIXES = ("x-google-", "x-appengine-", "x-cloudtasks-")


def request_headers(attempt: Attempt, mint: Mint) -> dict[str, str]:
    """Return the headers of an attempt: the task's own, and those Cloud Tasks adds or replaces."""
    task, target, progress = attempt.task, attempt.task.target, attempt.progress
    headers = {name: value for name, value in target.headers.items() if not _is_ours(name)}
    if target.method in METHODS_WITH_BODY and not _has(headers, "content-type"):
        headers["Content-Type"] = "application/octet-stream"
    headers |= {
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": short(task.queue),
        "X-CloudTasks-TaskName": short(task.name),
        "X-CloudTasks-TaskRetryCount": str(progress.dispatch_count - 1),
        "X-CloudTasks-TaskExecutionCount": str(progress.execution_count),
        "X-CloudTasks-TaskETA": f"{progress.scheduled_at.timestamp():.6f}",
    }
    previous = attempt.previous
    if previous and previous.http_status is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(previous.http_status)
    if previous and previous.reason:
        headers["X-CloudTasks-TaskRetryReason"] = previous.reason
    if target.oidc_email:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = f"Bearer {mint(target.oidc_audience or target.url, target.oidc_email)}"
    return headers


def send(target: HttpTarget, headers: Mapping[str, str], timeout_s: float) -> Outcome:
    """Make the request on a connection of its own; redirects are not followed."""
    url = urlsplit(target.url)
    give_up = time.monotonic() + timeout_s
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    try:
        connection = connect(url.hostname or "", url.port, timeout=timeout_s)
    except ValueError:  # a port that is no number
        return Outcome(None, "UNAVAILABLE")
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        body = target.body if target.method in METHODS_WITH_BODY else None
        connection.request(target.method, path, body=body, headers=dict(headers))
        if connection.sock:
            connection.sock.settimeout(max(0.001, give_up - time.monotonic()))
        answer = connection.getresponse()
        answer.read(READ_LIMIT)  # the worker is done when its answer is
        return Outcome(answer.status, retry_after_s=_retry_after_s(answer.getheader("Retry-After")))
    except TimeoutError:
        return Outcome(None, "DEADLINE_EXCEEDED")
    except (OSError, http.client.HTTPException, ValueError):  # ValueError: a header or path http.client refuses to send
        return Outcome(None, "UNAVAILABLE")
    finally:
        connection.close()


def _is_ours(name: str) -> bool:
    return name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES)


def _has(headers: Mapping[str, str], lower_name: str) -> bool:
    return any(name.lower() == lower_name for name in headers)


def _retry_after_s(text: str | None) -> float:
    """Read Retry-After, seconds or an HTTP date; 0 if it is absent, past or unreadable."""
    if not text:
        return 0.0
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text).replace(tzinfo=UTC)  # an HTTP date is always GMT
    except ValueError:
        return 0.0
    return max(0.0, (at - datetime.now(UTC)).total_seconds())

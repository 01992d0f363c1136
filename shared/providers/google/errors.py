"""Google's failures in our errors: told apart by the reason in the body, since 403 alone means six different things.

Messages hold the name of the call, the status and Google's code: never Google's sentence, which may quote an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from shared.errors import (
    AppError,
    CursorExpiredError,
    PermanentError,
)
from shared.providers.google.catalogue import BY_CODE, PROBLEMS
from shared.providers.wire import Answer
from shared.providers.words import Kind, Problem, error_of

NO_STATUS: frozenset[int] = frozenset()

LONGEST_WAIT = timedelta(hours=24)
"""A garbled "retry after" must not put a mailbox to sleep for ever."""

_RETRY_AFTER = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z", re.IGNORECASE)


def api_error(
    answer: Answer, *, call: str, now: datetime, fraction: float, cursor_lost_on: frozenset[int] = NO_STATUS
) -> AppError:
    """Translate a refusal of the Gmail or Calendar API.

    Args:
        call: the discovery method id, for the message.
        now: aware UTC. fraction: in [0, 1), spreads the returns of many waiting callers.
        cursor_lost_on: the statuses that, for this call, mean that Google forgot our cursor (404 for Gmail's history,
            410 for Calendar's sync tokens). Elsewhere they mean that the thing is gone.
    Source:
        {"error": {"code", "message", "status", "errors": [{"reason", "domain", "message"}], "details": [{"@type":
        ".../google.rpc.ErrorInfo", "reason"}]}}; developers.google.com/workspace/gmail/api/guides/handle-errors.
    """
    error = _error_object(answer.body)
    message = str(error.get("message", ""))
    codes = list(_codes(error))
    label = f"{call} answered {answer.status} {codes[0] if codes else ''}".rstrip()
    if answer.status in cursor_lost_on:
        return CursorExpiredError(label)
    problem = _problem(answer.status, codes, message)
    if problem is None:
        return PermanentError(label)
    return error_of(problem, label, resume_at=_resume_at(answer, problem, message, now, fraction))


def token_error(answer: Answer, *, call: str, now: datetime, fraction: float) -> AppError:
    """Translate a refusal of the token endpoint. Only `invalid_grant` says that the grant is gone.

    A code we do not know is taken for trouble at Google: a retry costs less than a person told to reconnect in vain.

    Source: {"error": "invalid_grant", "error_description": "Token has been expired or revoked.", "error_subtype"}.
    """
    code = token_error_code(answer)
    label = f"{call} answered {answer.status} {code}".rstrip()
    problem = BY_CODE.get(code, PROBLEMS["google_unavailable"])
    if answer.status == 429:
        problem = PROBLEMS["quota_used_up"]
    elif answer.status >= 500:
        problem = PROBLEMS["google_unavailable"]
    return error_of(problem, label, resume_at=_resume_at(answer, problem, "", now, fraction))


def token_error_code(answer: Answer) -> str:
    """The token or revocation endpoint's word for its refusal, such as `invalid_grant`; "" if it gave none."""
    code = _json_object(answer.body).get("error")
    return code if isinstance(code, str) else ""


def _problem(status: int, codes: list[str], message: str) -> Problem | None:
    """The catalogue's entry, or None for a request that we should not have made."""
    named = next((BY_CODE[code] for code in codes if code in BY_CODE), None)
    if status >= 500 or status < 400 or status in {401, 408}:
        return PROBLEMS["google_unavailable"]
    if status in {404, 410}:
        return PROBLEMS["not_found"]
    if status == 429:
        return named if named and named.kind is Kind.WAIT else PROBLEMS["quota_used_up"]
    if "mail service not enabled" in message.lower():
        return PROBLEMS["mail_service_not_enabled"]
    if named:
        return named
    if "quota exceeded" in message.lower():  # seen without any reason
        return PROBLEMS["quota_used_up"]
    return PROBLEMS["google_unavailable"] if status == 403 else None


def _resume_at(answer: Answer, problem: Problem, message: str, now: datetime, fraction: float) -> datetime:
    """When to come back: Google's own word if it gave one, in the message or the header, else a short spread pause."""
    stated = _stated_in(message) or _stated_in_header(answer.headers.get("retry-after", ""), now)
    if stated:
        return min(max(stated, now), now + LONGEST_WAIT)
    if problem.id == "daily_quota_used_up":
        return now + timedelta(hours=1 + fraction)
    if "too many concurrent" in message.lower():
        return now + timedelta(seconds=1)
    if "per minute" in message.lower():  # a sliding minute is used up: part of it must pass first
        return now + timedelta(seconds=15 + 15 * fraction)
    return now + timedelta(seconds=1 + fraction)


def _stated_in(message: str) -> datetime | None:
    found = _RETRY_AFTER.search(message)
    if not found:
        return None
    try:
        return datetime.fromisoformat(found.group(1)).replace(tzinfo=UTC)
    except ValueError:
        return None


def _stated_in_header(value: str, now: datetime) -> datetime | None:
    """Retry-After: seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    if value.strip().isdecimal():
        return now + timedelta(seconds=min(int(value), LONGEST_WAIT.total_seconds()))
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except ValueError:
        return None


def _codes(error: dict[str, Any]) -> Iterator[str]:
    """Google's words for one failure, the most telling first."""
    for key in ("details", "errors"):
        entries = error.get(key)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("reason"), str):
                yield entry["reason"]
    if isinstance(error.get("status"), str):
        yield error["status"]


def _error_object(body: bytes) -> dict[str, Any]:
    error = _json_object(body).get("error")
    return error if isinstance(error, dict) else {}


def _json_object(body: bytes) -> dict[str, Any]:
    """The body's JSON object; empty for the HTML that proxies in between answer with."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

"""DocuSign's failures in our errors, told apart by the code in the body: limits come as 400 today and as 429 tomorrow.

Messages hold the purpose of the call, the status and DocuSign's code: never DocuSign's sentence, which may quote an
address.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import (
    AppError,
    InputError,
    PermanentError,
)
from shared.providers.docusign.catalogue import PROBLEMS, problem_of
from shared.providers.wire import Answer
from shared.providers.words import Kind, Problem, error_of

POLLING_PAUSE = timedelta(minutes=15)
"""The same resource of an envelope may be read once in this time."""

BURST_WINDOW = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=2)
"""Hourly limits end on the hour; a garbled reset time must not stop the work for ever."""

_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")


def api_error(answer: Answer, *, purpose: str, now: datetime, fraction: float) -> AppError:
    """Translate a refusal of the eSignature API.

    Args:
        now: aware UTC. fraction: in [0, 1), spreads the returns of many waiting callers.
    Source:
        {"errorCode": "ENVELOPE_DOES_NOT_EXIST", "message": "..."}.
    """
    code = error_code(answer)
    label = f"{purpose} answered {answer.status} {code}".rstrip()
    problem = _problem(answer.status, code)
    if problem is None:
        if answer.status in {400, 409, 422}:
            return InputError(f"DocuSign refused this{f' ({code})' if code else ''}. Check it, then try again.")
        return PermanentError(label)
    return error_of(problem, label, resume_at=_resume_at(answer, problem, now, fraction))


def token_error(answer: Answer, *, purpose: str, now: datetime, fraction: float) -> AppError:
    """Translate a refusal of the account server. `invalid_grant` and `consent_required` alone mean: a person must act.

    A code we do not know is taken for trouble at DocuSign: a retry costs less than a person told to reconnect in vain.

    Source: {"error": "invalid_grant", "error_description": "user_not_found"}; the description tells JWT refusals apart.
    """
    code = error_code(answer)
    label = f"{purpose} answered {answer.status} {code}".rstrip()
    problem = problem_of(_description(answer)) or problem_of(code) or PROBLEMS["docusign_unavailable"]
    if answer.status == 429:
        problem = PROBLEMS["burst_limit"]
    elif answer.status >= 500:
        problem = PROBLEMS["docusign_unavailable"]
    return error_of(problem, label, resume_at=_resume_at(answer, problem, now, fraction))


def error_code(answer: Answer) -> str:
    """DocuSign's word for its refusal, "" if it gave none that looks like one."""
    body = _json_object(answer.body)
    code = body.get("errorCode") or body.get("error")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _problem(status: int, code: str) -> Problem | None:
    """The catalogue's entry, or None for a refusal it does not hold."""
    if status >= 500 or status < 400:
        return PROBLEMS["docusign_unavailable"]
    named = problem_of(code)
    if status == 429:
        return named if named and named.kind is Kind.WAIT else PROBLEMS["burst_limit"]
    if named:
        return named
    if status in {401, 408}:
        return PROBLEMS["docusign_unavailable"]
    return PROBLEMS["envelope_gone"] if status in {404, 410} else None


def _resume_at(answer: Answer, problem: Problem, now: datetime, fraction: float) -> datetime:
    """When to come back, spread over half a minute where many wait for the same moment."""
    spread = BURST_WINDOW * fraction
    if problem.id == "polling_limit":
        return now + POLLING_PAUSE
    if problem.id == "hourly_limit":
        return (_stated_reset(answer, now) or _next_hour(now)) + spread
    retry_after = answer.headers.get("retry-after", "").strip()
    if retry_after.isascii() and retry_after.isdecimal():
        seconds = int(retry_after) if len(retry_after) < 9 else LONGEST_WAIT.total_seconds()
        return now + min(timedelta(seconds=seconds), LONGEST_WAIT)
    return now + BURST_WINDOW + spread


def _stated_reset(answer: Answer, now: datetime) -> datetime | None:
    """X-RateLimit-Reset: Unix seconds at which the hour's calls are there again."""
    value = answer.headers.get("x-ratelimit-reset", "").strip()
    if not value.isascii() or not value.isdecimal() or len(value) > 11:
        return None
    reset_at = datetime.fromtimestamp(int(value), tz=UTC)
    return reset_at if now < reset_at <= now + LONGEST_WAIT else None


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _description(answer: Answer) -> str:
    description = _json_object(answer.body).get("error_description")
    return description if isinstance(description, str) else ""


def _json_object(body: bytes) -> dict[str, Any]:
    """The body's JSON object; empty for the XML or HTML that servers in between answer with."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

"""NetSuite's failures in our errors.

Messages hold the purpose, the status and NetSuite's code. NetSuite's own sentence may name a customer, so it goes into
InputError only, whose message is for the person who made the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.domain.values import dataclass
from shared.errors import (
    AppError,
    NotFoundError,
    PermanentError,
)
from shared.providers import exact_json
from shared.providers.netsuite.catalogue import BY_CODE, PROBLEMS
from shared.providers.wire import Answer
from shared.providers.words import Kind, Problem, error_of

SHORTEST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
"""Of a Retry-After, which NetSuite does not always send and which is not always true."""

_DETAIL_LENGTH = 300


class UnknownTableError(NotFoundError):
    """A query names a table that this account lacks, or that its role may not see; NetSuite does not tell which."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """NetSuite's words. code: "" if it gave none. path: the field, query parameter or header meant, or ""."""

    code: str = ""
    detail: str = ""
    path: str = ""


def refusal_in(answer: Answer) -> Refusal:
    """Source: {"type", "title", "status", "o:errorDetails": [{"detail", "o:errorCode", "o:errorPath" |
    "o:errorQueryParam" | "o:errorHeader"}]}; of several, the first.
    """
    details = _object(answer.body).get("o:errorDetails")
    first = details[0] if isinstance(details, list) and details else None
    if not isinstance(first, dict):
        return Refusal()
    path = first.get("o:errorPath") or first.get("o:errorQueryParam") or first.get("o:errorHeader") or ""
    return Refusal(str(first.get("o:errorCode", "")), str(first.get("detail", "")), str(path))


def api_error(answer: Answer, *, purpose: str, renewable: bool, now: datetime, fraction: float) -> AppError:
    """Translate a refusal of the record or query service.

    Args:
        renewable: whether the credentials could be renewed, and were, before this refusal. If they cannot be, a 401
            says that they are gone; if they were, only the token endpoint can say that.
        now: aware UTC. fraction: in [0, 1), spreads the returns of many waiting callers.
    """
    refusal = refusal_in(answer)
    label = f"netsuite {purpose} answered {answer.status} {refusal.code}".rstrip()
    if "was not found" in refusal.detail and "Record '" in refusal.detail:
        return UnknownTableError(label)
    problem = _problem(answer.status, refusal, renewable=renewable)
    if problem is None:
        return PermanentError(label)
    return error_of(problem, label, resume_at=resume_at(answer, now, fraction), sentence=_said(problem, refusal))


def token_error(answer: Answer, *, purpose: str, now: datetime, fraction: float) -> AppError:
    """Translate a refusal of the token endpoint: {"error": "invalid_client", "error_description": ...}.

    A code we do not know is taken for trouble at NetSuite: a retry costs less than a person told to connect in vain.
    """
    code = token_error_code(answer)
    label = f"netsuite {purpose} answered {answer.status} {code}".rstrip()
    problem = BY_CODE.get(code, PROBLEMS["netsuite_unavailable"])
    if answer.status == 429:
        problem = PROBLEMS["too_many_at_once"]
    elif answer.status >= 500:
        problem = PROBLEMS["netsuite_unavailable"]
    return error_of(problem, label, resume_at=resume_at(answer, now, fraction))


def token_error_code(answer: Answer) -> str:
    code = _object(answer.body).get("error")
    return code if isinstance(code, str) else ""


def resume_at(answer: Answer, now: datetime, fraction: float) -> datetime:
    """When a slot may be free again: soon, since requests last seconds; later if NetSuite says so, within reason."""
    stated = answer.headers.get("retry-after", "")
    wait_s = SHORTEST_WAIT_S * (1 + fraction)
    if stated.isdecimal():
        wait_s = max(wait_s, min(float(stated), LONGEST_WAIT_S))
    return now + timedelta(seconds=wait_s)


def _problem(status: int, refusal: Refusal, *, renewable: bool) -> Problem | None:
    """The catalogue's entry, or None for a request that we should not have made."""
    named = BY_CODE.get(refusal.code)
    if status == 429 or (named and named.kind is Kind.WAIT):
        return PROBLEMS["too_many_at_once"]
    if status == 501:  # not trouble that passes: whoever answers does not know the call at all
        return None
    if status >= 500 or status < 400 or status == 408:
        return PROBLEMS["netsuite_unavailable"]
    if status == 401:
        return PROBLEMS["netsuite_unavailable" if renewable else "token_refused"]
    if status == 403:
        return named if named and named.kind is Kind.ADMIN else PROBLEMS["permission_missing"]
    if status == 404:
        return PROBLEMS["not_found"]
    if "already exists" in refusal.detail.lower():  # a plain USER_ERROR says it in its sentence only
        return PROBLEMS["already_exists"]
    return named


def _said(problem: Problem, refusal: Refusal) -> str:
    """Our sentence with NetSuite's own, which only the person who made the input reads."""
    where = f" ({refusal.path})" if refusal.path else ""
    said = f' It says{where}: "{refusal.detail[:_DETAIL_LENGTH]}".' if refusal.detail else ""
    return f"{problem.sentence}{said} {problem.action}"


def _object(body: bytes) -> Mapping[str, Any]:
    """The body's JSON object; empty for the HTML that proxies in between answer with."""
    try:
        value = exact_json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

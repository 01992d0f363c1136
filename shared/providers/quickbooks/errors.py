"""Intuit's failures in our errors: told apart by the fault's code, since HTTP 400 alone means a dozen things.

Messages hold the name of the call, the status and Intuit's code. Its own sentence may quote what a person entered, so
it goes into InputError only, which nobody but that person reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    AppError,
    ConnectionRevokedError,
    InputError,
    NotFoundError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
    StaleWriteError,
)
from shared.providers.quickbooks import exact_json
from shared.providers.quickbooks.catalogue import BY_CODE, PROBLEMS, Kind, Problem
from shared.providers.wire import Answer

THROTTLED_FOR = timedelta(seconds=60)
"""How long Intuit asks to stay away after 429. Source: developer.intuit.com, "Limits and throttles"."""

LONGEST_WAIT = timedelta(hours=24)
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """The first error of a fault. code: as a number without leading zeros, "" for an answer that has none."""

    code: str
    detail: str


def fault_of(answer: Answer) -> Fault:
    """Read a refusal, empty for the HTML that Intuit's gateways answer with.

    Source: {"Fault": {"Error": [{"Message", "Detail", "code", "element"}], "type"}, "time"}; the gateway in front,
    which checks tokens, writes the same names in lower case.
    """
    body = _lowered(_object(answer.body))
    fault = _lowered(body.get("fault"))
    errors = fault.get("error")
    first = _lowered(errors[0]) if isinstance(errors, list) and errors else {}
    code = str(first.get("code", "")).strip()
    detail = str(first.get("detail") or first.get("message") or "").strip()
    return Fault(code.lstrip("0") or code, detail[:LONGEST_DETAIL])


def api_error(answer: Answer, *, call: str, now: datetime) -> AppError:
    """Translate a refusal of the Accounting API.

    Args:
        call: what was asked, for the message. now: aware UTC.
    """
    fault = fault_of(answer)
    label = f"quickbooks {call} answered {answer.status} {fault.code}".rstrip()
    return _raisable(_problem(answer.status, fault), label, fault, _resume_at(answer, now))


def token_error(answer: Answer, *, call: str, now: datetime) -> AppError:
    """Translate a refusal of the token endpoint. Only `invalid_grant` says that the grant is gone.

    A code we do not know is taken for trouble at Intuit: a retry costs less than a person told to reconnect in vain.

    Source: {"error": "invalid_grant", "error_description"}.
    """
    code = token_error_code(answer)
    label = f"quickbooks {call} answered {answer.status} {code}".rstrip()
    problem = BY_CODE.get(code, PROBLEMS["quickbooks_unavailable"])
    if answer.status == 429:
        problem = PROBLEMS["quota_used_up"]
    elif answer.status >= 500:
        problem = PROBLEMS["quickbooks_unavailable"]
    return _raisable(problem, label, Fault(code, ""), _resume_at(answer, now))


def token_error_code(answer: Answer) -> str:
    """The token endpoint's word for its refusal, such as `invalid_grant`; "" if it gave none."""
    code = _object(answer.body).get("error")
    return code if isinstance(code, str) else ""


def _problem(status: int, fault: Fault) -> Problem | None:
    """The catalogue's entry; None for a refusal without a code that we know."""
    named = BY_CODE.get(fault.code)
    if status == 429:
        return PROBLEMS["quota_used_up"]
    if status >= 500 or status < 400 or status in {401, 408}:
        return PROBLEMS["quickbooks_unavailable"]
    if named:
        return named
    if status == 403:
        return PROBLEMS["no_rights"]
    if status == 404:
        return PROBLEMS["not_found"]
    return PROBLEMS["refused"] if fault.code else None


def _raisable(problem: Problem | None, label: str, fault: Fault, resume_at: datetime) -> AppError:
    if problem is None:
        return PermanentError(label)
    match problem.kind:
        case Kind.RECONNECT:
            return ConnectionRevokedError(label)
        case Kind.ADMIN:
            return AdminActionError(label, reason=problem.id)
        case Kind.WAIT:
            return RateLimitedError(label, resume_at=resume_at)
        case Kind.RETRY:
            return ProviderUnavailableError(label)
        case Kind.GONE:
            return NotFoundError(label)
        case Kind.TAKEN:
            return AlreadyExistsError(label)
        case Kind.STALE:
            return StaleWriteError(label)
        case Kind.INPUT:
            said = f" QuickBooks says: {fault.detail}" if fault.detail else ""
            return InputError(f"{problem.sentence} {problem.action}{said}")
        case Kind.OURS:
            return PermanentError(label)


def _resume_at(answer: Answer, now: datetime) -> datetime:
    stated = answer.headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdecimal():
        return now + min(timedelta(seconds=max(int(stated), 1)), LONGEST_WAIT)
    return now + THROTTLED_FOR


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = exact_json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _lowered(value: object) -> dict[str, Any]:
    return {str(name).lower(): item for name, item in value.items()} if isinstance(value, dict) else {}

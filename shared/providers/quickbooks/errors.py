"""Intuit's failures in our errors: told apart by the fault's code, since HTTP 400 alone means a dozen things.

Messages hold the name of the call, the status and Intuit's code. Its own sentence may quote what a person entered, so
it goes into InputError only, which nobody but that person reads.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.domain.values import dataclass
from shared.errors import (
    AppError,
    PermanentError,
)
from shared.providers import exact_json
from shared.providers.quickbooks.catalogue import BY_CODE, PROBLEMS
from shared.providers.wire import Answer
from shared.providers.words import Problem, error_of, spoken

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
    problem = _problem(answer.status, fault)
    if problem is None:
        return PermanentError(label)
    said = f" QuickBooks says: {fault.detail}" if fault.detail else ""
    return error_of(problem, label, resume_at=_resume_at(answer, now), sentence=f"{spoken(problem)}{said}")


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
    return error_of(problem, label, resume_at=_resume_at(answer, now))


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

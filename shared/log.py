"""One JSON line per event on stdout, in Cloud Logging's fields; the trace goes with the work across push and task hops.

A name is a noun and what happened to it ("message.logged"). Values are ids and numbers: never a body, token, subject or
address, and a text that looks like an address is withheld even if it is handed in.
"""

from __future__ import annotations

import json
import re
import secrets
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from shared.errors import AppError, InputError

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Id = str | int | float | bool | None

LONGEST_ID = 500
WITHHELD = "[withheld]"

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_id: str
    span_id: str
    flags: str


_trace: ContextVar[_Trace | None] = ContextVar("trace", default=None)
_project = ""


def use_project(project_id: str) -> None:
    """Name the Google Cloud project, so that Cloud Logging can join the lines of one trace."""
    global _project
    _project = project_id


def event(name: str, *, severity: Severity = "INFO", **ids: Id) -> None:
    """Write one line. Source of the field names: cloud.google.com/logging/docs/structured-logging."""
    _write(name, severity, ids)


def exception(name: str, error: BaseException, **ids: Id) -> None:
    """Write one ERROR line with the places `error` passed through.

    The words of our own errors are written, for they hold ids alone. The words of any other may quote what was being
    worked on, so its type must do.
    """
    _write(name, "ERROR", ids, error=_words(error), stack_trace=_places(error))


@contextmanager
def trace(traceparent: str | None) -> Iterator[None]:
    """Work within the caller's trace, or within a new one if the caller has none. Source: w3.org/TR/trace-context."""
    token = _trace.set(_parsed(traceparent) or _Trace(secrets.token_hex(16), secrets.token_hex(8), "01"))
    try:
        yield
    finally:
        _trace.reset(token)


def traceparent() -> str | None:
    """What to hand to the next hop, in a header or attribute of this name; None outside a trace."""
    current = _trace.get()
    return f"00-{current.trace_id}-{current.span_id}-{current.flags}" if current else None


def _parsed(header: str | None) -> _Trace | None:
    found = _TRACEPARENT.match(header.strip().lower()) if header else None
    if found is None or found[1] == "0" * 32 or found[2] == "0" * 16:
        return None
    return _Trace(found[1], found[2], found[3])


def _write(name: str, severity: Severity, ids: Mapping[str, Id], **texts: str) -> None:
    line: dict[str, Id] = {key: _shown(value) for key, value in ids.items()}
    line |= {"severity": severity, "message": name, "time": datetime.now(UTC).isoformat(), **texts}
    if current := _trace.get():
        prefix = f"projects/{_project}/traces/" if _project else ""
        line["logging.googleapis.com/trace"] = prefix + current.trace_id
        line["logging.googleapis.com/spanId"] = current.span_id
    print(json.dumps(line), flush=True)


def _shown(value: Id) -> Id:
    if not isinstance(value, str):
        return value
    return WITHHELD if "@" in value else value[:LONGEST_ID]


def _words(error: BaseException) -> str:
    kind = type(error).__name__
    speaks = isinstance(error, AppError) and not isinstance(error, InputError)
    return f"{kind}: {_shown(str(error))}" if speaks else kind


def _places(error: BaseException) -> str:
    """Files, lines and code, newest last, in the shape Error Reporting reads; of the causes first."""
    parts: list[str] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_list(traceback.extract_tb(current.__traceback__)))
        parts.insert(0, f"Traceback (most recent call last):\n{frames}{_words(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n\n".join(parts)

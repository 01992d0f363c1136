"""What a log line says, and what it never says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared import log
from shared.errors import AppError, InputError, PayloadError

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def _no_project() -> None:
    log.use_project("")


def test_an_event_is_one_line_of_json_in_cloud_loggings_fields(lines: Lines) -> None:
    log.event("message.logged", mailbox="m1", size=3, partial=False, contact=None)
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "severity": "INFO",
        "message": "message.logged",
        "mailbox": "m1",
        "size": 3,
        "partial": False,
        "contact": None,
    }


def test_a_line_break_in_an_id_starts_no_second_line(lines: Lines) -> None:
    log.event("message.logged", severity="WARNING", mailbox='m1"}\n{"severity": "ERROR"')
    (line,) = lines()
    assert line["severity"] == "WARNING"


def test_what_looks_like_an_address_is_withheld(lines: Lines) -> None:
    log.event("message.logged", mailbox="ada@example.com")
    assert lines()[0]["mailbox"] == log.WITHHELD


def test_an_overlong_id_is_cut(lines: Lines) -> None:
    log.event("message.logged", mailbox="m" * 10_000)
    assert len(lines()[0]["mailbox"]) == log.LONGEST_ID


def test_lines_of_one_trace_name_it(lines: Lines) -> None:
    with log.trace(TRACEPARENT):
        log.event("message.logged")
        log.use_project("crm")
        log.event("message.logged")
    log.event("message.logged")
    first, second, third = lines()
    assert first["logging.googleapis.com/trace"] == TRACE_ID
    assert second["logging.googleapis.com/trace"] == f"projects/crm/traces/{TRACE_ID}"
    assert second["logging.googleapis.com/spanId"] == "00f067aa0ba902b7"
    assert "logging.googleapis.com/trace" not in third


def test_the_next_hop_gets_the_callers_trace() -> None:
    with log.trace(TRACEPARENT):
        assert log.traceparent() == TRACEPARENT
    assert log.traceparent() is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        TRACEPARENT[:-3],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.replace('4', 'g')}-00f067aa0ba902b7-01",
    ],
)
def test_a_caller_without_a_usable_trace_starts_a_new_one(header: str | None) -> None:
    with log.trace(header):
        one = log.traceparent()
    with log.trace(header):
        other = log.traceparent()
    assert one
    assert other
    assert one != other
    assert TRACE_ID not in one


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


def test_a_bug_is_logged_with_its_places_and_without_its_words(lines: Lines) -> None:
    log.exception("function.failed", raised(ValueError("secret-token"), KeyError("secret-key")), function="gmail_push")
    (line,) = lines()
    assert line["severity"] == "ERROR"
    assert line["error"] == "ValueError"
    assert line["function"] == "gmail_push"
    assert "in raised" in line["stack_trace"]
    assert "raise error from cause" in line["stack_trace"]
    assert line["stack_trace"].endswith("ValueError")
    assert "KeyError" in line["stack_trace"]
    assert "secret" not in json.dumps(line)


def test_our_own_errors_keep_their_words(lines: Lines) -> None:
    log.exception("function.failed", raised(PayloadError("message m1 has no headers")))
    assert lines()[0]["error"] == "PayloadError: message m1 has no headers"


@pytest.mark.parametrize("error", [InputError("Your plan 'secret' is not known"), AppError("ada-secret@example.com")])
def test_words_for_a_person_and_addresses_are_left_out(lines: Lines, error: AppError) -> None:
    log.exception("function.failed", raised(error))
    assert "secret" not in json.dumps(lines()[0])

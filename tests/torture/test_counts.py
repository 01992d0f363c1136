"""What each kind of proof prints or writes, and the numbers taken from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.crash import Report
from tests.torture.counts import Count, chaos, load, passed
from tests.torture.parts import PARTS

NO_FILE = Path("there/is/none.json")
COUNT = {part.key: part.count for part in PARTS}


def test_the_plans_of_all_flows_are_added_up() -> None:
    reports = [Report("send", ("Ledger.send",), 3, ()), Report("void", ("Ledger.void",), 6, ())]
    said = "".join(f"\n  {report}. [ 50%]\n" for report in reports)

    assert COUNT["crash"](said, NO_FILE) == Count(9, 0)


def test_a_plan_that_fails_is_counted_once_though_pytest_shows_it_again() -> None:
    said = (
        "\n  send: 1 side effects, 3 plans, 1 failuresF\nE   AssertionError: send: 1 side effects, 3 plans, 1 failures"
    )

    assert COUNT["crash"](said, NO_FILE) == Count(3, 1)


@pytest.mark.parametrize(
    ("key", "said", "count"),
    [
        ("pairs", "void: 5 side effects, 153 plans, 0 failures\n2 flows, 303 pairs, 1 failures, 12 s", Count(303, 1)),
        ("money", "\n  250 schedules: paid 3\n.\n  250 schedules: paid 4", Count(500, 0)),
        ("simulation", "150 seeds, 9.0 simulated days in 99.9 s: 7,000 times real time; settled at the latest 9 min "
         "after the last fault; 1 failed [17]\n150 seeds, 9 in 9; 0 failed ", Count(300, 1)),
        ("mutation", "shared/a.py: 40 tried, 38 killed, 1 explained, 1 unexplained, 0 left\n"
         "shared/b.py: 2 tried, 2 killed, 0 explained, 0 unexplained, 9 left\n42 mutants, 40 killed", Count(42, 1)),
        ("coverage", "12 passed in 3s\n33 modules, every branch covered", Count(33, 0)),
        ("coverage", "shared/a.py: lines 3; branches from -\nshared/b.py: lines -; branches from 4",
         Count(2, 2, "modules without a gap are not counted")),
    ],
)  # fmt: skip
def test_what_a_proof_says_of_itself_is_taken(key: str, said: str, count: Count) -> None:
    assert COUNT[key](said, NO_FILE) == count


@pytest.mark.parametrize("key", [part.key for part in PARTS])
def test_silence_is_no_count(key: str) -> None:
    assert COUNT[key]("Traceback (most recent call last):\n", NO_FILE) is None


def test_tests_are_counted_from_pytests_last_line() -> None:
    assert passed("....\n210 passed, 3 warnings in 80.1s (0:01:20)\n", NO_FILE) == Count(210, 0)
    assert passed("1 failed, 8 passed, 2 skipped, 1 error in 3.2s", NO_FILE) == Count(10, 2, "2 skipped")
    assert passed("==== 4 passed in 0.12s ====", NO_FILE) == Count(4, 0)


def test_chaos_counts_faults_and_what_did_not_end_as_it_must(tmp_path: Path) -> None:
    told = {"faults": {"function killed": 4, "pubsub frozen": 1}, "killed": {"all": 4}, "rows": 120, "invoices": 3}
    figures = written(tmp_path, {**told, "surprises": ["3 invoices of 4"]})

    assert chaos("", figures) == Count(5, 1, "4 processes killed, 120 mails, 3 invoices")


def steady(**figures: Any) -> dict[str, Any]:
    usual = {
        "rate_per_s": 3.2, "answered": 171, "errors": {}, "answer_ms": {"p99": 47.7}, "mails": 103,
        "mails_landed": 103, "functions_mib_per_minute": 0.6,
    }  # fmt: skip
    return {"sustained": {**usual, **figures}}


def test_load_counts_arrivals_and_fails_for_none_when_all_went_well(tmp_path: Path) -> None:
    assert load("", written(tmp_path, steady())) == Count(171, 0, "at 3.2/s, p99 47.7 ms, memory +0.6 MiB a minute")


@pytest.mark.parametrize(
    ("figures", "failed"),
    [
        ({"errors": {"500": 2}}, 2),
        ({"mails_landed": 100}, 3),
        ({"functions_mib_per_minute": 30.0}, 1),
        ({"answer_ms": {"p99": 34_000.0}}, 0),
    ],
)
def test_errors_lost_mail_and_growth_fail_the_load_and_slowness_does_not(
    tmp_path: Path, figures: dict[str, Any], failed: int
) -> None:
    count = load("", written(tmp_path, steady(**figures)))

    assert count is not None
    assert count.failed == failed


def written(folder: Path, told: dict[str, Any]) -> Path:
    path = folder / "figures.json"
    path.write_text(json.dumps(told))
    return path

"""Struck twice on the money path: a sample here, every pair with `python -m tests.crash_pairs`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash import Flow, try_some_pairs
from tests.crash_pairs import MONEY_PATH, main

SEED = 20_260_302


@pytest.mark.parametrize("flow", MONEY_PATH.values(), ids=MONEY_PATH)
def test_some_pairs_of_a_flow(flow: Flow[Any]) -> None:
    report = try_some_pairs(flow, firsts=4, seconds=4, seed=SEED)
    assert report.tried > 0
    assert not report.failures, str(report)


def test_the_long_run_tries_every_pair_of_what_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--flow", "void", "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert "void: 5 side effects" in told
    assert "2 flows" in told
    assert "0 failures" in told


def test_the_long_run_tries_the_pairs_of_one_first_strike(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--flow", "an invoice that is sent", "--first", "before 13", "--processes", "1"]) == 0
    assert "1 flows" in capsys.readouterr().out


def test_the_long_run_knows_no_such_flow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--flow", "nothing like it"]) == 2
    assert "two instalments" in capsys.readouterr().out

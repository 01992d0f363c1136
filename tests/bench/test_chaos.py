"""What the faults of a run are drawn from, and how what is left undone is found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.chaos import persistence
from bench.chaos.leftovers import failures
from bench.chaos.persistence import insistently
from bench.chaos.storm import FROZEN_S, TROUBLED_S, Fault, function_workers, plan
from local.run.http import RefusedError


def test_a_seed_always_brings_the_same_faults() -> None:
    assert plan(7, 12, 1.0) == plan(7, 12, 1.0)
    assert plan(7, 12, 1.0) != plan(8, 12, 1.0)


@pytest.mark.parametrize("kills", [6, 60])
def test_every_kind_of_fault_is_in_every_run(kills: int) -> None:
    faults = Counter(one.fault for one in plan(1, kills, 1.0))
    assert faults.keys() == set(Fault)
    assert faults[Fault.KILL_FUNCTION] + faults[Fault.KILL_TASKS] == kills
    assert faults[Fault.KILL_FUNCTION] > faults[Fault.KILL_TASKS]


def test_emulators_are_frozen_for_seconds_and_errors_last_for_seconds() -> None:
    for one in plan(5, 60, 1.0):
        if one.fault is Fault.TROUBLE:
            assert TROUBLED_S[0] <= one.lasts_s <= TROUBLED_S[1]
            assert one.trouble is not None
        else:
            assert FROZEN_S[0] <= one.lasts_s <= FROZEN_S[1]


def test_a_person_asks_again_while_something_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "PAUSE_S", (0.0,))
    refusals = [RefusedError("POST x", 0, "away"), RefusedError("POST x", 502, "away"), RefusedError("POST x", 503, "")]

    def step() -> str:
        if refusals:
            raise refusals.pop(0)
        return "done"

    assert insistently(step) == "done"


def test_a_person_believes_a_refusal_that_means_it() -> None:
    def step() -> None:
        raise RefusedError("POST x", 400, "The quote is not accepted.")

    with pytest.raises(RefusedError, match="not accepted"):
        insistently(step)


def test_a_person_gives_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "GIVES_UP_AFTER_S", 0.0)

    def step() -> None:
        raise RefusedError("POST x", 503, "away")

    with pytest.raises(RefusedError, match="away"):
        insistently(step)


def test_errors_that_nobody_expected_are_counted_from_the_log(tmp_path: Path) -> None:
    log = tmp_path / "functions.log"
    failed = json.dumps({"message": "function.failed", "function": "mailbox_sync", "error": "KeyError"})
    quiet = json.dumps({"message": "work.postponed", "function": "mailbox_sync"})
    log.write_text(f"{failed}\n{quiet}\nnot json at all\n{failed}\n{failed[:40]}")

    assert failures(log) == {"mailbox_sync: KeyError": 2}


@pytest.mark.parametrize(
    ("servers", "found"),
    [([""], {"all"}), (["", "--target=quote_page", "--target=gmail_push"], {"front", "quote_page", "gmail_push"})],
)
def test_workers_are_known_by_the_function_they_serve(servers: list[str], found: set[str]) -> None:
    head = _head_with(servers)
    try:
        _wait_until(lambda: function_workers(head.pid).keys() == found)
    finally:
        os.killpg(head.pid, signal.SIGKILL)
        head.wait()


_SLEEP = "import time; time.sleep(60)"
_WITH_WORKER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_SLEEP!r}])"


def _head_with(servers: list[str]) -> subprocess.Popen[bytes]:
    """A process with one child for each; one with a target has a worker of its own, as a function's server has."""
    commands = [["-c", _WITH_WORKER, server] if server else ["-c", _SLEEP] for server in servers]
    program = (
        "import subprocess, sys, time\n"
        f"for command in {commands!r}: subprocess.Popen([sys.executable, *command])\n"
        "time.sleep(60)"
    )
    return subprocess.Popen([sys.executable, "-c", program], start_new_session=True)


def _wait_until(seen: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)

"""Many seeds end as they must; what is broken on purpose is found; a plan is repeatable and can be cut down."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.mailbox import MailStream
from shared.usecases.lease import Held
from shared.usecases.mail import poll_mailbox, sync_mailbox
from shared.usecases.mail.served import ServedMailbox
from tests.simulation.plan import Plan, make_plan
from tests.simulation.play import play
from tests.simulation.shrink import shrink
from tests.simulation.weather import RATES

ROOT = Path(__file__).parents[2]
CHUNK = 50
SOON = timedelta(minutes=45)


@pytest.mark.parametrize("first", range(0, 300, CHUNK))
def test_after_the_last_fault_everything_settles(first: int) -> None:
    """In a process of its own, whose sets have the order that a replay has."""
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(CHUNK), "--from", str(first), "--size", "quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-2000:]


def test_a_seed_means_the_same_every_time() -> None:
    plan = make_plan(7)
    assert plan == make_plan(7)
    one, other = play(plan), play(plan)
    assert (one.lines, one.calls, one.faults) == (other.lines, other.calls, other.faults)


def found(plans: range) -> Plan | None:
    return next((plan for seed in plans if (plan := make_plan(seed)) and play(plan, patience=SOON).wrong), None)


def test_a_poll_that_brings_nothing_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows whose tasks died with their worker stay queued."""
    monkeypatch.setattr(poll_mailbox, "requeue_overdue", lambda _: 0)
    assert found(range(40)) is not None


def test_a_gap_that_is_not_listed_is_found_and_its_story_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that jumps to where the mailbox is now loses what came before (I1)."""
    monkeypatch.setattr(sync_mailbox, "_open_gap", jump_over_the_gap)
    plan = found(range(60))
    assert plan is not None
    short = shrink(plan, lambda smaller: bool(play(smaller, patience=SOON).wrong), tries=120)
    assert play(short, patience=SOON).wrong
    assert len(short.happenings) <= 4
    assert len(short.weather) <= 2 < len(RATES)


def jump_over_the_gap(served: ServedMailbox, held: Held[MailStream]) -> None:
    held.commit(replace(held.value, cursor=served.gmail.profile().history_id, reading=None))

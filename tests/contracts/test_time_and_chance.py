"""What every `Clock`, `Chance` and `Jitter` does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from shared.platform.clock import LONGEST_WAIT_S, SystemChance, SystemClock, SystemJitter
from shared.ports.time import Chance, Clock, Jitter
from tests.fakes import FakeChance, FakeClock, FakeJitter


@pytest.mark.parametrize("clock", [FakeClock(), SystemClock()], ids=["fake", "system"])
def test_a_clock_tells_aware_utc_and_never_goes_back(clock: Clock) -> None:
    first, second = clock.now(), clock.now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second


@pytest.mark.parametrize("chance", [FakeChance(), SystemChance()], ids=["fake", "system"])
def test_chance_makes_tokens_that_differ_and_fractions_below_one(chance: Chance) -> None:
    tokens = {chance.token() for _ in range(100)}
    fractions = {chance.fraction() for _ in range(100)}
    assert len(tokens) == len(fractions) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert all(0 <= fraction < 1 for fraction in fractions)


@pytest.mark.parametrize("jitter", [FakeJitter(), SystemJitter()], ids=["fake", "system"])
def test_a_jitter_waits_and_returns(jitter: Jitter) -> None:
    clock = SystemClock()
    began = clock.now()
    for attempt in (0, 1):
        jitter.wait(attempt)
    assert (clock.now() - began).total_seconds() < LONGEST_WAIT_S


def test_one_seed_throws_the_same_dice() -> None:
    one, same, other = FakeChance(1), FakeChance(1), FakeChance(2)
    assert one.token() == same.token() != other.token()
    assert one.fraction() == same.fraction() != other.fraction()


def test_the_system_jitter_grows_to_its_longest_and_never_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    for attempt in range(200):
        SystemJitter().wait(attempt)
    assert max(waits[:3]) < 0.1
    assert 0.1 < max(waits[10:]) <= LONGEST_WAIT_S

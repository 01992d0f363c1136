"""No more calls at once than a vendor serves, over all instances."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

import pytest

from shared.errors import RateLimitedError
from shared.usecases.call_slots import call_slot
from tests.cash_world import CashWorld, cash_world


def slot(world: CashWorld) -> AbstractContextManager[None]:
    return call_slot(world.store, "n-1", 3, clock=world.clock, chance=world.chance)


def taken(world: CashWorld) -> list[AbstractContextManager[None]]:
    """All slots, for as long as the list lives."""
    slots = [slot(world) for _ in range(3)]
    for one in slots:
        one.__enter__()
    return slots


def test_the_pool_lets_in_as_many_as_it_has_slots_and_says_when_to_come_again() -> None:
    world = cash_world()
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(slot(world))
        with pytest.raises(RateLimitedError) as full, slot(world):
            raise AssertionError("a fourth call was let in")
        assert full.value.resume_at > world.clock.now()
    for _ in range(3):
        with slot(world):
            pass


def test_a_slot_whose_holder_died_comes_free_by_itself() -> None:
    world = cash_world()
    dead = taken(world)
    with pytest.raises(RateLimitedError), slot(world):
        raise AssertionError("all slots are taken")
    world.passes(seconds=91)
    with slot(world):
        pass
    assert len(dead) == 3


def test_a_call_that_outlasted_its_slot_takes_nothing_from_the_next_holder() -> None:
    world = cash_world()
    with slot(world):
        world.passes(seconds=91)
        others = taken(world)
    with pytest.raises(RateLimitedError), slot(world):
        raise AssertionError("the slow call gave away a slot that was not its own")
    assert len(others) == 3

"""Two reach for one lease: one of them has it."""

from __future__ import annotations

import pytest

from shared.domain.lease import LEASE_FOR
from shared.errors import AlreadyExistsError, StaleWriteError
from shared.records.store import TenantStore
from shared.usecases.call_slots import call_slot
from tests.contested import Contested
from tests.fakes import FakeChance, FakeClock


@pytest.fixture
def documents() -> Contested:
    return Contested()


def call(documents: Contested, clock: FakeClock, *, slots: int) -> str:
    """Which slot the call ran in."""
    with call_slot(TenantStore(documents, "acme"), "n-1", slots, clock=clock, chance=FakeChance(0)):
        held = [path for path, row in documents.dump().items() if row["lease"]["owner"] is not None]
    return ", ".join(held)


def test_who_finds_a_new_slot_just_made_by_another_takes_the_next(documents: Contested) -> None:
    documents.refuse = AlreadyExistsError("somebody was quicker")
    assert call(documents, FakeClock(), slots=2).count("slots/") == 1


def test_who_finds_a_free_slot_just_taken_by_another_takes_the_next(documents: Contested) -> None:
    clock = FakeClock()
    first = call(documents, clock, slots=2)
    documents.refuse = StaleWriteError("somebody was quicker")
    second = call(documents, clock, slots=2)
    assert second != first
    clock.advance(LEASE_FOR.total_seconds())
    assert call(documents, clock, slots=2) == first

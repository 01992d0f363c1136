"""How many deletions may be inferred from absence without asking (G27, I17)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar.stream import held_for_a_person


@pytest.mark.parametrize(
    ("absent", "live", "held"),
    [
        (0, 0, False),
        (4, 4, False),
        (5, 5, True),
        (20, 21, False),
        (21, 22, True),
        (21, 420, False),
        (22, 420, True),
        (50, 1_000, False),
        (51, 1_000, True),
    ],
)
def test_both_limits_must_be_exceeded_or_everything_be_gone(absent: int, live: int, held: bool) -> None:
    assert held_for_a_person(absent, live) is held


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_fewer_deletions_are_never_held_where_more_are_not(absent: int, live: int) -> None:
    if absent < live and not held_for_a_person(absent, live):
        assert not held_for_a_person(max(0, absent - 1), live)

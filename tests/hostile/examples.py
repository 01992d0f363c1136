"""How many examples a property is tried with: its own number in the short run, a hundred times that in the long one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

LONG = 10_000
"""Examples of the profile "long"; the usual one has 100."""


def examples(number: int) -> settings:
    """number: for the short run, which is the same every time."""
    usual = settings().max_examples
    return settings(
        max_examples=max(1, number * usual // 100),
        derandomize=usual < LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

"""A random sample, by the dice a use case is handed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from shared.ports.time import Chance

T = TypeVar("T")


def sampled(items: Sequence[T], count: int, chance: Chance) -> list[T]:
    """Up to `count` of the items, each as likely as any other."""
    left = list(items)
    for place in range(min(count, len(left))):
        other = place + int(chance.fraction() * (len(left) - place))
        left[place], left[other] = left[other], left[place]
    return left[:count]

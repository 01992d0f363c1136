"""Wait for a state, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_S = 0.005


class NotSeenError(Exception):
    """A step was not seen to happen; the message names it in words a person can follow."""


def until(look: Callable[[], T | None], what: str, *, within_s: float, every_s: float = LOOK_EVERY_S) -> T:
    """Return what `look` returns as soon as it is neither None nor False.

    Raises: NotSeenError naming `what`.
    """
    deadline = time.monotonic() + within_s
    while True:
        seen = look()
        if seen is not None and seen is not False:
            return seen
        if time.monotonic() > deadline:
            raise NotSeenError(f"{what} was not seen within {within_s:.0f} s")
        time.sleep(every_s)

"""A person, or a vendor, who tries again: what meets a killed process is asked once more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from local.run.http import RefusedError
from local.run.waiting import NotSeenError

T = TypeVar("T")

GIVES_UP_AFTER_S = 420.0
"""Longer than a claim of a sending that died (two minutes) and the sweep of a promise (five minutes) together."""

PAUSE_S = (0.2, 0.5, 1.0, 2.0, 5.0)


def insistently(step: Callable[[], T]) -> T:
    """Do the step until it is not refused for now. Raises: RefusedError for a refusal that means it, or lasts."""
    give_up_at = time.monotonic() + GIVES_UP_AFTER_S
    tries = 0
    while True:
        try:
            return step()
        except (RefusedError, NotSeenError) as refused:
            for_now = isinstance(refused, NotSeenError) or refused.status == 0 or refused.status >= 500
            if not for_now or time.monotonic() > give_up_at:
                raise
        time.sleep(PAUSE_S[min(tries, len(PAUSE_S) - 1)])
        tries += 1

"""Real time and real chance."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime

from shared.ports.marks import reads

FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 1.0


class SystemClock:
    @reads
    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemChance:
    @reads
    def token(self) -> str:
        return secrets.token_urlsafe(32)

    @reads
    def fraction(self) -> float:
        return random.SystemRandom().random()


class SystemJitter:
    """Waits a random part of a time that doubles: two that met do not meet again at the same moment."""

    @reads
    def wait(self, attempt: int) -> None:
        longest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
        time.sleep(random.SystemRandom().uniform(0, longest_s))

"""The emulator's clock: the machine's, plus the jumps it was told to make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class JumpClock:
    """Call it for the time now, aware UTC."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

"""The simulator's time: the machine's, shifted by an offset that the control API sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Now = Callable[[], datetime]


class Clock:
    """Calling it returns aware UTC. The offset only ever moves what `now` means; nothing waits for it."""

    def __init__(self, base: Now | None = None) -> None:
        self._base = base or (lambda: datetime.now(UTC))
        self.offset_s = 0.0

    def __call__(self) -> datetime:
        return self._base() + timedelta(seconds=self.offset_s)


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def iso_ms(at: datetime) -> str:
    """The form in which Google writes times into messages: 2026-11-22T10:00:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Time and chance, which tests and simulations hold in their hand."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.ports.marks import reads


class Clock(Protocol):
    @reads
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Chance(Protocol):
    """Randomness, so that tests and simulations can repeat themselves."""

    @reads
    def token(self) -> str:
        """43 URL-safe characters from 32 random bytes: OAuth states, verifiers, channel tokens, lease owners."""
        ...

    @reads
    def fraction(self) -> float:
        """Uniform in [0, 1): jitter and samples."""
        ...


class Jitter(Protocol):
    @reads
    def wait(self, attempt: int) -> None:
        """Pause a random moment that grows with `attempt` (0, 1, ...), before a lost race is run again."""
        ...

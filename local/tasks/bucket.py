"""The token bucket of a queue, and how it slows down while the worker is overloaded."""

from __future__ import annotations

from datetime import datetime, timedelta

from local.tasks.values import RateLimits

SLOWEST_PACE = 1 / 64
SPEED_UP = 1.1
SLOW_DOWN_EVERY = timedelta(seconds=1)


class TokenBucket:
    """One token is one dispatch.

    `pace` scales rate and burst: each second that brings a 429 or 503 halves it, each success raises it by a tenth.
    Google says only that it backs off and recovers; the figures are ours.
    """

    def __init__(self, limits: RateLimits, now: datetime) -> None:
        self.limits = limits
        self.pace = 1.0
        self._tokens = self._capacity
        self._filled_at = now
        self._slowed_at: datetime | None = None

    @property
    def _rate(self) -> float:
        return self.limits.max_dispatches_per_second * self.pace

    @property
    def _capacity(self) -> float:
        return max(1.0, self.limits.max_burst_size * self.pace)

    def change(self, limits: RateLimits, now: datetime) -> None:
        """Use new limits from now on."""
        self._fill(now)
        self.limits = limits

    def take(self, now: datetime) -> bool:
        """Take a token if there is one."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def ready_at(self, now: datetime) -> datetime:
        """Return when the next token is there."""
        self._fill(now)
        # One microsecond more than the quotient, since datetime rounds down and the token must be whole.
        return now if self._tokens >= 1 else now + timedelta(seconds=(1 - self._tokens) / self._rate, microseconds=1)

    def worker_is_overloaded(self, now: datetime) -> None:
        """Halve the pace; answers to one burst count once."""
        if self._slowed_at is None or now - self._slowed_at >= SLOW_DOWN_EVERY:
            self._fill(now)
            self._slowed_at = now
            self.pace = max(SLOWEST_PACE, self.pace / 2)
            self._tokens = min(self._tokens, self._capacity)

    def worker_is_well(self, now: datetime) -> None:
        """Return towards the configured rate."""
        self._fill(now)
        self.pace = min(1.0, self.pace * SPEED_UP)

    def _fill(self, now: datetime) -> None:
        elapsed_s = max(0.0, (now - self._filled_at).total_seconds())
        self._tokens = min(self._capacity, self._tokens + elapsed_s * self._rate)
        self._filled_at = now

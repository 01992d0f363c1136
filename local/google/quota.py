"""What every call costs, and when Google says no: units per minute and user, and calls in flight at one time.

The window slides: a user's last 60 seconds may not hold more units than the limit. A refused call costs nothing.
Everything is counted, so that benchmarks can read what a run really used.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.google.clock import Now
from local.google.errors import ApiError, Json

WINDOW = timedelta(seconds=60)
MAX_IN_FLIGHT = 10
"""Field reports put Google's undocumented limit of parallel calls of one user near 10."""


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """One API's rules.

    Args:
        units_per_minute: what one user may spend in any 60 seconds.
        prices: units per discovery id; a call that is missing here is a mistake of the simulator.
        refusal: makes the API's own error from the time at which a retry would pass and the number of refusals so far.
        in_flight_refusal: makes its error for too many parallel calls; None means that the API sets no such limit.
    """

    units_per_minute: int
    prices: Mapping[str, int]
    refusal: Callable[[datetime, int], ApiError]
    in_flight_refusal: Callable[[], ApiError] | None = None


@dataclass(slots=True)
class _Account:
    spent: deque[tuple[datetime, int]] = field(default_factory=deque)
    in_window: int = 0
    in_flight: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Quota:
    """One API's quota. Safe to call from several threads."""

    def __init__(self, policy: QuotaPolicy, now: Now) -> None:
        self.policy = policy
        self._now = now
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}

    def enter(self, user: str) -> None:
        """Count one more call in flight; `leave` must follow unless this raises.

        Raises:
            ApiError: 429, ten are in flight already.
        """
        with self._lock:
            account = self._accounts.setdefault(user, _Account())
            if self.policy.in_flight_refusal and account.in_flight >= MAX_IN_FLIGHT:
                refusal = self.policy.in_flight_refusal()
                account.refused[str(refusal.status)] += 1
                raise refusal
            account.in_flight += 1

    def leave(self, user: str) -> None:
        with self._lock:
            self._accounts[user].in_flight -= 1

    @contextmanager
    def in_flight(self, user: str) -> Iterator[None]:
        self.enter(user)
        try:
            yield
        finally:
            self.leave(user)

    def spend(self, user: str, method: str) -> None:
        """Charge one call.

        Raises:
            ApiError: the user's minute is used up.
        """
        price, now = self.policy.prices[method], self._now()
        with self._lock:
            account = self._accounts.setdefault(user, _Account())
            while account.spent and account.spent[0][0] <= now - WINDOW:
                account.in_window -= account.spent.popleft()[1]
            if account.in_window + price > self.policy.units_per_minute:
                refusal = self.policy.refusal(self._free_at(account, price, now), sum(account.refused.values()))
                account.refused[str(refusal.status)] += 1
                raise refusal
            account.spent.append((now, price))
            account.in_window += price
            account.calls[method] += 1
            account.units[method] += price

    def usage(self) -> Json:
        """Return per user: units of the last minute and in all, calls and units per method, refusals per status."""
        now = self._now()
        with self._lock:
            return {
                user: {
                    "units_last_minute": sum(units for at, units in account.spent if at > now - WINDOW),
                    "units_total": account.units.total(),
                    "calls": dict(account.calls),
                    "units": dict(account.units),
                    "refused": dict(account.refused),
                }
                for user, account in sorted(self._accounts.items())
            }

    def reset(self) -> None:
        """Forget all use; calls in flight stay counted."""
        with self._lock:
            for user, account in list(self._accounts.items()):
                self._accounts[user] = _Account(in_flight=account.in_flight)

    def _free_at(self, account: _Account, price: int, now: datetime) -> datetime:
        needed = account.in_window + price - self.policy.units_per_minute
        for at, units in account.spent:
            needed -= units
            if needed <= 0:
                return at + WINDOW
        return now + WINDOW

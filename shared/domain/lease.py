"""The lease: three fields of the document it protects, taken by compare-and-set (D1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.values import dataclass

LEASE_FOR = timedelta(seconds=90)
RUN_AT_MOST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lease:
    """fence grows with every taking, so that two holders of one owner name differ."""

    owner: str | None = None
    until: datetime | None = None
    fence: int = 0

    def free(self, now: datetime) -> bool:
        return self.owner is None or self.until is None or self.until <= now

    def taken(self, owner: str, now: datetime) -> Lease:
        return Lease(owner=owner, until=now + LEASE_FOR, fence=self.fence + 1)

    def renewed(self, now: datetime) -> Lease:
        return replace(self, until=now + LEASE_FOR)

    def released(self) -> Lease:
        return replace(self, owner=None, until=None)


FREE = Lease()
"""Never taken."""

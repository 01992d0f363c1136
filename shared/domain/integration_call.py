"""One call to a vendor as the integration log keeps it: purpose, result and time, never a secret (Q13)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.ids import short_id
from shared.domain.values import dataclass

KEPT_FOR = timedelta(days=30)

LEDGERS = frozenset({"quickbooks", "netsuite"})
"""Providers whose calls finance reads too; those of any other are the administrators' (R2)."""


@dataclass(frozen=True, slots=True)
class IntegrationCall:
    """purpose: noun and past verb. result: "ok" or the vendor's error code. status: of HTTP, 0 where no answer came.
    trace_id: the vendor's own id of the call. missed: calls before this one that could not be written."""

    connection_id: str
    provider: str
    purpose: str
    result: str
    status: int
    started_at: datetime
    duration_s: float
    trace_id: str = ""
    missed: int = 0

    @property
    def call_id(self) -> str:
        took = round(self.duration_s * 1_000_000)
        return short_id("g", self.connection_id, self.purpose, self.started_at.isoformat(), took, self.trace_id)

    @property
    def expires_at(self) -> datetime:
        return self.started_at + KEPT_FOR

"""One outbound call to a vendor, for the integration log (Q13). No secrets, no bodies, no addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class CallRecord:
    """purpose: noun and past verb, as log events have it ("invoice.created"). result: "ok" or the vendor's error code.
    status: HTTP status, 0 where no answer came. trace_id: the vendor's own id of the call (intuit_tid and its like)."""

    provider: str
    purpose: str
    result: str
    status: int
    started_at: datetime
    duration_s: float
    trace_id: str = ""


OnCall = Callable[[CallRecord], None]

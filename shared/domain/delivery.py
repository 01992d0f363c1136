"""One HTTP attempt by a vendor that brought a fact: stored before it is answered (D9)."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.ids import short_id
from shared.domain.values import dataclass

KEPT_FOR = timedelta(days=30)


class DeliveryState(StrEnum):
    RECEIVED = "received"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Delivery:
    """body: the verified bytes, sealed. event_key: what makes the event this event; a retry of the sender has the same.
    A row is never a reason to stop early: only `done`, read by its task, is."""

    provider: str
    connection_id: str
    event_key: str
    kind: str
    received_at: datetime
    expires_at: datetime
    body: bytes = field(repr=False)
    state: DeliveryState = DeliveryState.RECEIVED

    @property
    def delivery_id(self) -> str:
        return short_id("v", self.provider, self.connection_id, self.event_key)

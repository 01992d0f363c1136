"""What could not be handled, parked with its reason so that nothing stops and nothing is lost (I4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.ids import short_id
from shared.domain.values import dataclass

MESSAGE = "message"
"""The kind of a mail message: its ids name mailbox and Gmail id, and its ledger row says quarantined."""


class ParkedState(StrEnum):
    PARKED = "parked"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Parked:
    """kind: what was parked ("message", "push", "task", "event"). key: what makes it this one. ids: what a replay
    needs; never content. queue, function, payload: the task that tries again, where one can. times: how often it was
    parked."""

    kind: str
    key: str
    reason: str
    parked_at: datetime
    ids: Mapping[str, str]
    queue: str | None = None
    function: str | None = None
    payload: Mapping[str, Any] | None = None
    state: ParkedState = ParkedState.PARKED
    times: int = 1

    @property
    def parked_id(self) -> str:
        return parked_id(self.kind, self.key)

    def again(self, before: Parked) -> Parked:
        """The same thing parked once more."""
        return replace(self, times=before.times + 1)


def parked_id(kind: str, key: str) -> str:
    return short_id("q", kind, key)

"""A follow-up that was promised in the same commit as its cause: the row is the promise, its task keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.ids import digest, short_id
from shared.domain.values import dataclass

OVERDUE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Promise:
    """One task that must run to its end. Its worker deletes the row; until then the sweep queues it again, rev + 1.

    promised_at: when it is to run; in the future for one that has to wait.
    """

    promise_id: str
    queue: str
    function: str
    payload: Mapping[str, str]
    promised_at: datetime
    rev: int = 1

    @property
    def task_name(self) -> str:
        """Queues are shared by all tenants, and one mailbox may be in two: the tenant is part of the name."""
        return digest("promise", self.payload["tenant"], self.promise_id, self.rev)

    def again(self, now: datetime) -> Promise:
        return replace(self, rev=self.rev + 1, promised_at=now)


def promise(function: str, payload: Mapping[str, str], now: datetime, *parts: str) -> Promise:
    """parts: what makes this follow-up new, besides its function. The queue has the function's name."""
    return Promise(
        promise_id=short_id("o", function, *parts),
        queue=function.replace("_", "-"),
        function=function,
        payload=payload,
        promised_at=now,
    )

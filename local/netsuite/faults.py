"""Faults that the control API arms: the next calls of an operation are refused, slowed down, or lose their answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.netsuite.errors import ControlError, Json


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls that it fits.

    operation: "token", "suiteql", "metadata.read", "<record type>.<list|read|create|upsert|change|delete|transform>",
        or "*" for every one but "token".
    status: refuse with it without doing the work; None lets the call through. code, detail: of the refusal.
    text: a body that is sent instead, such as a proxy's HTML. reply_lost: do the work, then hang up. delay_s: wait
        before the work is done; the call counts as under way meanwhile.
    """

    operation: str = "*"
    times: int = 1
    status: int | None = None
    code: str = "UNEXPECTED_ERROR"
    detail: str = "An unexpected error occurred. Error ID: simulated"
    text: str | None = None
    headers: Mapping[str, str] | None = None
    reply_lost: bool = False
    delay_s: float = 0.0

    def refusal(self) -> Json:
        return {
            "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15",
            "title": "Error",
            "status": self.status,
            "o:errorDetails": [{"detail": self.detail, "o:errorCode": self.code}],
        }


class Faults:
    """The armed faults, oldest first. Each call takes at most one."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, spec: Mapping[str, Any]) -> None:
        """Raises: ControlError for an unknown field, or a fault that would change nothing."""
        try:
            fault = Fault(**spec)
        except TypeError as wrong:
            raise ControlError(f"a fault has the fields {', '.join(Fault.__slots__)}; {wrong}") from wrong
        fault.delay_s = float(fault.delay_s)  # control bodies bring Decimals
        if fault.status is None and not fault.reply_lost and not fault.delay_s:
            raise ControlError("a fault needs a status, reply_lost or delay_s")
        with self._lock:
            self._armed.append(fault)

    def take(self, operation: str) -> Fault | None:
        """The fault that this call meets, counted down."""
        with self._lock:
            for fault in self._armed:
                if fault.operation == operation or (fault.operation == "*" and operation != "token"):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

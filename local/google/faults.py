"""Faults that the control API arms: the next calls of a method are refused, slowed down, or lose their answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.google.errors import ControlError, Json


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls that it fits.

    Args:
        method: discovery id ("gmail.users.messages.get"), "oauth.token.refresh", "oauth.token.exchange",
            "oauth.revoke", or "*" for every API call.
        user: only calls for this address; None for everyone's.
        status: refuse with this status without doing the work; None lets the call through.
        body: the refusal's JSON; None makes Google's error document from `reason` and `message`.
        reply_lost: do the work, then close the connection without an answer.
        delay_s: wait before the call is worked on; it counts as in flight meanwhile.
    """

    method: str
    times: int = 1
    user: str | None = None
    status: int | None = None
    reason: str = "backendError"
    message: str = "Backend Error"
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_lost: bool = False
    delay_s: float = 0.0


class Faults:
    """The armed faults, oldest first. Each call takes at most one."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, spec: Mapping[str, Any]) -> None:
        """Arm one fault from the control API's JSON: the fields of `Fault`.

        Raises:
            ControlError: a field is unknown, or the fault would change nothing.
        """
        try:
            fault = Fault(**spec)
        except TypeError as wrong:
            raise ControlError(f"a fault has the fields {', '.join(Fault.__slots__)}; {wrong}") from wrong
        if fault.status is None and not fault.reply_lost and not fault.delay_s:
            raise ControlError("a fault needs a status, reply_lost or delay_s")
        with self._lock:
            self._armed.append(fault)

    def take(self, method: str, user: str | None) -> Fault | None:
        """Return the fault that this call meets, and count it down."""
        with self._lock:
            for fault in self._armed:
                fits = fault.method == method or (fault.method == "*" and not method.startswith("oauth."))
                if fits and fault.user in (None, user):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

"""Faults that the control API arms: the next calls of a kind are refused, slowed down, or lose their answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.docusign.errors import ControlError, Json

CALLS = (
    "oauth.token", "oauth.userinfo", "oauth.revoke", "templates.list", "templates.get", "envelopes.list",
    "envelopes.create", "envelopes.get", "envelopes.update", "recipients.update", "documents.get", "views.create",
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls of this kind.

    call: one of CALLS, or "*" for every call of the API (not of the account server).
    status: refuse with this status without doing the work; None lets the call through.
    body: the refusal's body, JSON or a text (a proxy's HTML); None makes DocuSign's from code and message.
    reply_lost: do the work, then close the connection without an answer. delay_s: wait before the work.
    """

    call: str
    times: int = 1
    status: int | None = None
    code: str = "INTERNAL_SERVER_ERROR"
    message: str = "An internal error occurred."
    body: Json | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_lost: bool = False
    delay_s: float = 0.0


class Faults:
    """The armed faults, oldest first. Each call takes at most one."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, spec: Mapping[str, Any]) -> None:
        """Arm one fault from the fields of `Fault`. Raises: ControlError."""
        try:
            fault = Fault(**spec)
        except TypeError as wrong:
            raise ControlError(f"a fault has the fields {', '.join(Fault.__slots__)}; {wrong}") from wrong
        if fault.call not in {*CALLS, "*"}:
            raise ControlError(f"a fault's call is * or one of {', '.join(CALLS)}")
        if fault.status is None and not fault.reply_lost and not fault.delay_s:
            raise ControlError("a fault needs a status, reply_lost or delay_s")
        with self._lock:
            self._armed.append(fault)

    def take(self, call: str) -> Fault | None:
        """The fault this call meets, counted down."""
        with self._lock:
            for fault in self._armed:
                if fault.call == call or (fault.call == "*" and not call.startswith("oauth.")):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

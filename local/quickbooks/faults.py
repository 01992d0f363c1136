"""Faults that the control API arms: the next calls are refused, slowed down, or lose their answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.quickbooks.errors import ControlError, VendorError

_BY_CODE = {
    "3200": (401, "message=AuthenticationFailed; errorCode=003200; statusCode=401", "AUTHENTICATION"),
    "3001": (429, "message=ThrottleExceeded; errorCode=003001; statusCode=429", "THROTTLE"),
    "5010": (400, "Stale Object Error", "ValidationFault"),
    "610": (400, "Object Not Found", "ValidationFault"),
    "6140": (400, "Duplicate Document Number Error", "ValidationFault"),
    "6240": (400, "Duplicate Name Exists Error", "ValidationFault"),
    "10000": (500, "An application error has occurred while processing your request", "SystemFault"),
}

HTML = b"<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls that it fits.

    Args:
        call: "invoice.create", "invoice.read", "query", "cdc", "oauth.refresh" ..., or "*" for every API call.
        realm_id: only calls of this company; None for everyone's.
        code: refuse with this fault code, without doing the work.
        html: answer 503 with a gateway's page, without doing the work.
        status, body: refuse with exactly these.
        reply_lost: do the work, then close the connection without an answer.
        delay_s: wait before the call is worked on.
    """

    call: str
    times: int = 1
    realm_id: str | None = None
    code: str | None = None
    html: bool = False
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_lost: bool = False
    delay_s: float = 0.0

    @property
    def refusal(self) -> VendorError | None:
        """The fault to answer with, for a fault armed by code."""
        if self.code is None:
            return None
        status, message, kind = _BY_CODE.get(self.code, (400, "A validation error has occurred", "ValidationFault"))
        return VendorError(self.code, message, status=self.status or status, kind=kind)


class Faults:
    """The armed faults, oldest first. Each call takes at most one."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, spec: Mapping[str, Any]) -> None:
        """Arm one fault from the control API's JSON: the fields of `Fault`. Raises: ControlError."""
        try:
            fault = Fault(**spec)
        except TypeError as wrong:
            raise ControlError(f"a fault has the fields {', '.join(Fault.__slots__)}; {wrong}") from wrong
        if not any((fault.code, fault.html, fault.status, fault.reply_lost, fault.delay_s)):
            raise ControlError("a fault needs a code, html, a status, reply_lost or delay_s")
        with self._lock:
            self._armed.append(fault)

    def take(self, call: str, realm_id: str | None) -> Fault | None:
        """Return the fault that this call meets, and count it down."""
        with self._lock:
            for fault in self._armed:
                fits = fault.call == call or (fault.call == "*" and not call.startswith("oauth."))
                if fits and fault.realm_id in {None, realm_id}:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

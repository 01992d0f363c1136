"""Errors as Google's APIs state them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}


class ApiError(Exception):
    """An answer that is no success.

    Args:
        status: HTTP status.
        reason: the word clients decide by, for example "rateLimitExceeded".
        message: Google's sentence.
        domain: "global", "usageLimits", "calendar" ...
        status_name: overrides the canonical name of `status`; "" leaves it out, as Google's older APIs do.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        status_name: str | None = None,
        location: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain
        self.status_name = _STATUS_NAMES.get(status, "") if status_name is None else status_name
        self.location = location
        self.headers = dict(headers or {})

    def body(self) -> Json:
        """Return Google's error document. Source: google.com "Error responses", fields of `error`."""
        item = {"message": self.message, "domain": self.domain, "reason": self.reason}
        if self.location:
            item["locationType"], item["location"] = self.location
        error: Json = {"code": self.status, "message": self.message, "errors": [item]}
        if self.status_name:
            error["status"] = self.status_name
        return {"error": error}


def invalid_argument(message: str) -> ApiError:
    return ApiError(400, "invalidArgument", message)


def not_found(message: str = "Requested entity was not found.") -> ApiError:
    return ApiError(404, "notFound", message)


def not_simulated(what: str) -> ApiError:
    """The loud refusal of whatever the simulator does not know: a gap must never pass for Google's answer."""
    return ApiError(501, "notImplemented", f"The simulator does not know {what}; teach it before the product uses it.")


class ControlError(Exception):
    """A control call that cannot be carried out; the message is a sentence for whoever made it."""

"""Errors as NetSuite's REST services state them."""

from __future__ import annotations

from typing import Any, Literal

Json = dict[str, Any]

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}

Place = Literal["o:errorPath", "o:errorQueryParam", "o:errorHeader"]


class ApiError(Exception):
    """An answer that is no success: `code` is what clients decide by; `where` names the part of the request meant."""

    def __init__(self, status: int, code: str, detail: str, *, where: str = "", place: Place = "o:errorPath") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.where = where
        self.place: Place = place

    def body(self) -> Json:
        """Source: docs.oracle.com ... section_156570709583.html, "Error Handling in REST Web Services"."""
        detail = {"detail": self.detail, "o:errorCode": self.code}
        if self.where:
            detail[self.place] = self.where
        return {
            "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15",
            "title": _TITLES.get(self.status, "Error"),
            "status": self.status,
            "o:errorDetails": [detail],
        }


class TokenError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


class ControlError(Exception):
    """A control call that cannot be carried out; the message is a sentence for whoever made it."""


def invalid_content(detail: str, path: str = "") -> ApiError:
    return ApiError(400, "INVALID_CONTENT", f"Error while accessing a resource. {detail}", where=path)


def invalid_value(value: object, field: str, path: str) -> ApiError:
    return invalid_content(f"You have entered an Invalid Field Value {value} for the following field: {field}", path)


def user_error(detail: str) -> ApiError:
    return ApiError(400, "USER_ERROR", f"Error while accessing a resource. {detail}")


def no_such_record(record_type: str) -> ApiError:
    return ApiError(404, "NONEXISTENT_ID", f"The record instance does not exist. Provide a valid {record_type} ID.")


def insufficient_permission(kind: str) -> ApiError:
    return ApiError(
        403,
        "INSUFFICIENT_PERMISSION",
        f"Permission Violation: You need a higher permission level for {kind} to access this resource.",
    )


def not_simulated(what: str) -> ApiError:
    """The loud refusal of whatever the simulator does not know: a gap must never pass for NetSuite's answer."""
    return ApiError(501, "NOT_SIMULATED", f"The simulator does not know {what}; teach it before the product uses it.")

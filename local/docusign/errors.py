"""Errors as DocuSign states them, and those of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal of the eSignature API: {"errorCode", "message"}."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.body: Json = {"errorCode": code, "message": message}
        self.headers = dict(headers or {})


class OAuthError(Exception):
    """A refusal of the account server: {"error", "error_description"}."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.body: Json = {"error": error, **({"error_description": description} if description else {})}


class ControlError(Exception):
    """A control call that cannot be carried out; the message is a sentence for whoever made it."""


def invalid_parameter(what: str) -> ApiError:
    return ApiError(
        400, "INVALID_REQUEST_PARAMETER", f"The request contained at least one invalid parameter. {what}".rstrip()
    )


def not_simulated(what: str) -> ApiError:
    """The loud refusal of whatever the simulator does not know: a gap must never pass for DocuSign's answer."""
    return ApiError(501, "NOT_SIMULATED", f"The simulator does not know {what}; teach it before the product uses it.")

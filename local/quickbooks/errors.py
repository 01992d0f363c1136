"""Errors as QuickBooks states them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class VendorError(Exception):
    """An answer that is no success.

    Args:
        code: Intuit's number, as text. message: its fixed sentence. detail: what exactly was wrong.
        status: HTTP status; refused content is always 400. kind: the fault's type.
    """

    def __init__(
        self,
        code: str,
        message: str,
        detail: str = "",
        *,
        status: int = 400,
        kind: str = "ValidationFault",
        element: str = "",
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.status = status
        self.code, self.message, self.detail, self.kind, self.element = code, message, detail or message, kind, element

    def body(self, time: str) -> Json:
        """Source: {"Fault": {"Error": [{"Message", "Detail", "code", "element"}], "type"}, "time"}."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element:
            error["element"] = self.element
        return {"Fault": {"Error": [error], "type": self.kind}, "time": time}


def missing(what: str) -> VendorError:
    return VendorError("2020", "Required param missing, need to supply the required value for the API", what)


def invalid(what: str) -> VendorError:
    return VendorError("2010", "Request has invalid or unsupported property", what)


def bad_reference(what: str) -> VendorError:
    return VendorError("2500", "Invalid Reference Id", f"Invalid Reference Id : {what} was not found")


def business(what: str) -> VendorError:
    return VendorError("6000", "A business validation error has occurred while processing your request", what)


def gone(what: str) -> VendorError:
    return VendorError("610", "Object Not Found", f"Object Not Found : {what} is inactive or was deleted")


def bad_query(what: str) -> VendorError:
    return VendorError("4001", "Invalid query", f"QueryValidationError: {what}")


def not_simulated(what: str) -> VendorError:
    """The loud refusal of whatever the simulator does not know: a gap must never pass for Intuit's answer."""
    return VendorError(
        "501",
        "Not simulated",
        f"The simulator does not know {what}; teach it before the product uses it.",
        status=501,
        kind="SystemFault",
    )


class ControlError(Exception):
    """A control call that cannot be carried out; the message is a sentence for whoever made it."""

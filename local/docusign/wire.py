"""What every face of the simulator does with an answer: faults before it, DocuSign's headers on it."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from local.docusign.errors import ApiError, ControlError, Json, OAuthError
from local.docusign.faults import Fault, Faults

Work = Callable[[], tuple[int, Json | bytes | None]]
"""Does what a call asks for; returns status and JSON, a PDF, or nothing."""


def perform(faults: Faults, call: str, work: Work, headers: Callable[[], Mapping[str, str]]) -> Response:
    """Answer one call. headers: what the account's answers carry, read after the work."""
    fault = faults.take(call)
    if fault and fault.delay_s:
        time.sleep(fault.delay_s)
    if fault and fault.status is not None:
        return _refused(fault)
    try:
        status, content = work()
    except (ApiError, OAuthError) as error:
        return respond(error.status, error.body, {**headers(), **getattr(error, "headers", {})})
    if fault and fault.reply_lost:
        return hang_up()
    return respond(status, content, headers())


def respond(status: int, content: Json | bytes | str | None, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with DocuSign's trace token."""
    trace = {"X-DocuSign-TraceToken": str(uuid.uuid4())}
    if isinstance(content, bytes):
        return Response(content, status, {**trace, **(headers or {})}, mimetype="application/pdf")
    if isinstance(content, str):
        return Response(content, status, {**trace, **(headers or {})}, mimetype="text/html")
    body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
    return Response(body, status, {**trace, **(headers or {})}, mimetype="application/json")


def hang_up() -> Response:
    """Close the client's connection without a word; what is written to it afterwards goes nowhere."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def json_body() -> Json:
    """The JSON object of an API call, {} where there is no body. Raises: ApiError."""
    if not request.get_data():
        return {}
    body: Any = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "INVALID_REQUEST_BODY", "The request body is missing or improperly formatted.")
    return body


def control_body() -> Json:
    """The JSON object of a control call. Raises: ControlError."""
    body: Any = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _refused(fault: Fault) -> Response:
    body = fault.body if fault.body is not None else {"errorCode": fault.code, "message": fault.message}
    return respond(fault.status or 500, body, fault.headers)

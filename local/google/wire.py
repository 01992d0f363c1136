"""Answers into Flask responses, and connections that end without one."""

from __future__ import annotations

import socket

from flask import Response, request

from local.google.gateway import Answer


def to_response(answer: Answer) -> Response:
    """Return the response, or hang up when the answer is to be lost."""
    if answer.lost:
        hang_up()
        return Response(status=500)
    return Response(answer.body, status=answer.status, headers=dict(answer.headers))


def hang_up() -> None:
    """Close the client's connection; what is written to it afterwards goes nowhere."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)

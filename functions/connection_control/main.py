"""Pause, resume, disable or disconnect a mailbox. Trigger: public HTTPS, signed-in users."""

import functions_framework
from flask import Request

from shared import wiring
from shared.domain.mailbox import wanted_status
from shared.entrypoints import http_endpoint
from shared.usecases.control_connection import control_connection


@functions_framework.http
@http_endpoint
def connection_control(request: Request) -> None:
    store, user = wiring.signed_in(request)
    control_connection(
        store,
        wiring.argument(request, "mailbox"),
        user,
        wanted_status(wiring.argument(request, "action")),
        documents=wiring.documents(),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )

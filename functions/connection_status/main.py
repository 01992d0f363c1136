"""What a mailbox's connection page says. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import connection_answer
from shared.entrypoints import http_endpoint
from shared.usecases.read_connection import read_connection


@functions_framework.http
@http_endpoint
def connection_status(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    page = read_connection(store, wiring.argument(request, "mailbox"), user, wiring.clock())
    return connection_answer(page)

"""The calls made to one connection's vendor in the last 30 days. Trigger: public HTTPS, admins and finance."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.entrypoints import http_endpoint
from shared.usecases.integration_log import read_calls


@functions_framework.http
@http_endpoint
def integration_log_read(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    calls = read_calls(store, wiring.argument(request, "connection"), user, clock=wiring.clock())
    return {"data": as_json(calls)}

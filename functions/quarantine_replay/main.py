"""List what is parked, or queue one entry again. Trigger: public HTTPS, admins."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import quarantine_answer
from shared.entrypoints import http_endpoint
from shared.usecases.quarantine import list_parked, replay


@functions_framework.http
@http_endpoint
def quarantine_replay(request: Request) -> Mapping[str, Any] | None:
    store, user = wiring.signed_in(request)
    if request.method == "GET":
        return quarantine_answer(list_parked(store, user))
    replay(store, wiring.argument(request, "entry"), user, tasks=wiring.tasks(), clock=wiring.clock())
    return None

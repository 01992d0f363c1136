"""List contacts that share an address, or settle one such notice. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import duplicates_answer
from shared.entrypoints import http_endpoint
from shared.usecases.settle_duplicates import list_duplicates, settle_duplicate


@functions_framework.http
@http_endpoint
def duplicates_settle(request: Request) -> Mapping[str, Any] | None:
    store, user = wiring.signed_in(request)
    if request.method == "GET":
        return duplicates_answer(list_duplicates(store, user.viewer))
    settle_duplicate(
        store,
        wiring.argument(request, "notice"),
        wiring.argument(request, "action"),
        keeper_id=lambda: wiring.argument(request, "contact"),
        actor=user,
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    return None

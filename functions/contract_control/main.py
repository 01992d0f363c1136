"""Remind, void, correct, sign here, renew, or reconcile. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.cash_input import contract_action
from shared.entrypoints import http_endpoint
from shared.usecases.cash.control_contract import control_contract


@functions_framework.http
@http_endpoint
def contract_control(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    result = control_contract(
        store,
        wiring.argument(request, "contract"),
        contract_action(wiring.json_body(request), return_url=wiring.web_url()),
        user=user,
        signing=partial(wiring.signing, store.tenant, wiring.signing_connection()),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    return {"result": as_json(result)}

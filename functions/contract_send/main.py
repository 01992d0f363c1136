"""What a contract still needs, and send it. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.entrypoints import http_endpoint
from shared.usecases.cash.send_contract import review_sending, send_contract


@functions_framework.http
@http_endpoint
def contract_send(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    contract_id = wiring.argument(request, "contract")
    sending = wiring.sending(store.tenant)
    if request.method == "GET":
        return {"readiness": as_json(review_sending(store, contract_id, sending, user=user))}
    return {"contract": as_json(send_contract(store, contract_id, sending, user=user))}

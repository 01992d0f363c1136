"""Make a contract from a quote, or change who signs a draft. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.cash_input import contract_draft, signers
from shared.entrypoints import http_endpoint
from shared.usecases.cash.write_contract import change_signers, create_contract


@functions_framework.http
@http_endpoint
def contract_write(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    body = wiring.json_body(request)
    clock, jitter = wiring.clock(), wiring.jitter()
    if request.method == "PUT":
        contract_id = wiring.argument(request, "contract")
        contract = change_signers(store, contract_id, signers(body), user=user, clock=clock, jitter=jitter)
    else:
        key = wiring.argument(request, "key")
        contract = create_contract(store, contract_draft(body), key=key, user=user, clock=clock, jitter=jitter)
    return {"contract": as_json(contract)}

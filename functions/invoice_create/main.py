"""Make an invoice by hand: shown first, then asked for. Trigger: public HTTPS, admins and finance."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.entrypoints import http_endpoint
from shared.usecases.cash.create_invoice import create_invoice, propose_invoice
from shared.usecases.cash.forms import reviewed_from, source_from


@functions_framework.http
@http_endpoint
def invoice_create(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    if request.method == "GET":
        source = source_from(request.args.to_dict())
        return {"data": as_json(propose_invoice(store, source, user, chance=wiring.chance()))}
    form = wiring.json_body(request)
    intent = create_invoice(
        store,
        source_from(form),
        reviewed_from(form),
        user,
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    return {"intent": intent}

"""Write a quote, change a draft, approve its discount. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.cash_input import quote_draft
from shared.entrypoints import http_endpoint
from shared.usecases.cash.write_quote import approve_quote, change_quote, create_quote


@functions_framework.http
@http_endpoint
def quote_write(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    clock, jitter = wiring.clock(), wiring.jitter()
    if request.method == "PATCH":
        quote = approve_quote(store, wiring.argument(request, "quote"), user=user, clock=clock, jitter=jitter)
        return {"quote": as_json(quote), "totals": as_json(quote.totals)}
    draft = quote_draft(wiring.json_body(request))
    if request.method == "PUT":
        quote = change_quote(store, wiring.argument(request, "quote"), draft, user=user, clock=clock, jitter=jitter)
    else:
        quote = create_quote(store, draft, key=wiring.argument(request, "key"), user=user, clock=clock, jitter=jitter)
    return {"quote": as_json(quote), "totals": as_json(quote.totals)}

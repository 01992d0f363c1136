"""What a deal shows of its invoices and payments. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.entrypoints import http_endpoint
from shared.usecases.cash.read_deal_money import read_deal_money


@functions_framework.http
@http_endpoint
def invoices_read(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    shown = read_deal_money(store, wiring.argument(request, "deal"), user, clock=wiring.clock())
    invoices = [
        {
            "key": one.mirror.key,
            **as_json(one.mirror),
            "conflicts": as_json(one.mirror.conflicts),
            "status": one.status.value,
        }
        for one in shown.invoices
    ]
    return {"data": {**as_json(shown), "invoices": invoices}}

"""Review how a ledger is mapped, and switch automatic invoices. Trigger: public HTTPS, admins and finance."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.entrypoints import http_endpoint
from shared.usecases.cash.map_ledger import MappingDesk


@functions_framework.http
@http_endpoint
def ledger_mapping(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    connection = wiring.argument(request, "connection")
    desk = MappingDesk(
        store,
        connection,
        user,
        open_ledger=wiring.open_ledger(store.tenant),
        similar=wiring.similar_names,
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
        waiting_ledger=partial(wiring.ledger, store.tenant),
    )
    form = request.args if request.method == "GET" else wiring.json_body(request)
    return {"data": as_json(desk.act(wiring.argument(request, "action"), form))}

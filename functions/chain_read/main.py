"""What happened to a deal from quote to cash. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request, Response

from shared import wiring
from shared.answers import as_json
from shared.entrypoints import http_endpoint
from shared.usecases.cash.read_chain import read_chain


@functions_framework.http
@http_endpoint
def chain_read(request: Request) -> Response | Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    chain = read_chain(store, wiring.argument(request, "deal"), user)
    if request.args.get("as") == "table":
        return Response(chain.table, mimetype="text/plain")
    return {**as_json(chain), "refused_moves": chain.refused_moves}

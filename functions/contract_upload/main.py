"""Mark a contract signed with an uploaded PDF. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.cash_input import day, signed_by
from shared.entrypoints import http_endpoint
from shared.usecases.cash.store_contract import LARGEST, SignedByHand, upload_signed


@functions_framework.http
@http_endpoint
def contract_upload(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    upload = SignedByHand(
        content=wiring.upload(request, LARGEST),
        signed_on=day(request.args.get("signed_on")),
        signed_by=signed_by(request.args.getlist("signed_by")),
        user=user,
    )
    contract = upload_signed(
        store,
        wiring.argument(request, "contract"),
        upload,
        blobs=wiring.blobs(store.tenant),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    return {"contract": as_json(contract)}

"""Set the logo on quotes and contracts. Trigger: public HTTPS, administrators."""

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.usecases.cash.set_logo import LARGEST, set_logo


@functions_framework.http
@http_endpoint
def logo_upload(request: Request) -> None:
    store, user = wiring.signed_in(request)
    set_logo(
        store,
        wiring.upload(request, LARGEST),
        user,
        is_image=wiring.is_image,
        blobs=wiring.blobs(store.tenant),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )

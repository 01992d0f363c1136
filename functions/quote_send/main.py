"""Send a quote: its PDF and its tracked link. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import as_json
from shared.cash_input import day
from shared.entrypoints import http_endpoint
from shared.usecases.cash.send_quote import send_quote

COPY_THE_LINK = "The quote was not mailed. Copy the link into a mail of your own; it is shown this once."


@functions_framework.http
@http_endpoint
def quote_send(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    expires_on = wiring.json_body(request).get("expires_on")
    sent = send_quote(
        store,
        wiring.argument(request, "quote"),
        page_url=wiring.public_url("quote_page"),
        expires_on=day(expires_on) if expires_on else None,
        user=user,
        writer=wiring.papers(),
        blobs=wiring.blobs(store.tenant),
        chance=wiring.chance(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    return {"quote": as_json(sent.quote), "link": sent.link, "mailed": False, "next": COPY_THE_LINK}

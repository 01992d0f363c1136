"""The customer's page of a quote: open, accept, decline, ask for a new one. Trigger: public HTTPS."""

import functions_framework
from flask import Request, Response

from shared import wiring
from shared.entrypoints import page_endpoint
from shared.quote_page import closed_page, open_page, opened, wanted
from shared.usecases.cash.decide_quote import decide, read_quote_page, read_quote_pdf
from shared.web_page import download


@functions_framework.http
@page_endpoint
def quote_page(request: Request) -> Response:
    store, quote_id, token = wiring.quote_link(request)
    clock = wiring.clock()
    if request.method == "POST":  # whoever merely fetches changes nothing
        deed = wanted(request.form, wiring.visitor_address(request))
        decide(store, quote_id, token, deed, clock=clock, jitter=wiring.jitter())
        return opened()
    if "document" in request.args:
        name, content = read_quote_pdf(store, quote_id, token, blobs=wiring.blobs(store.tenant))
        return download(name, content, "application/pdf")
    shown = read_quote_page(store, quote_id, token, clock=clock)
    return open_page(shown) if "open" in request.args else closed_page(shown)

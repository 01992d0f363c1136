"""Where a browser lands after consent, until a web front end takes its place. Trigger: public HTTPS."""

import functions_framework
from flask import Request, Response

from shared import wiring
from shared.connected_page import connected_page
from shared.entrypoints import page_endpoint


@functions_framework.http
@page_endpoint
def connections(request: Request) -> Response:
    return connected_page(wiring.just_connected(request))

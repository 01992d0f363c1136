"""Begin connecting an account: answers where to send the person. Trigger: public HTTPS, signed-in users."""

import functions_framework
from flask import Request, Response, jsonify

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.providers.connecting import CONNECT_COOKIE
from shared.usecases.connect import start_consent


@functions_framework.http
@http_endpoint
def oauth_start(request: Request) -> Response:
    store, user = wiring.signed_in(request)
    provider = request.args.get("provider", "google")
    allowed = wiring.connecting(provider).MAY_CONNECT
    credit = wiring.credit(store.tenant, user.user_id, provider)
    consent = start_consent(credit, provider=provider, user_id=user.user_id, allowed=allowed)
    response = jsonify(url=consent.url)
    response.set_cookie(CONNECT_COOKIE, consent.binding, max_age=600, secure=True, httponly=True, samesite="Lax")
    return response

"""The person comes back from a vendor's consent page. Trigger: public HTTPS."""

from functools import partial

import functions_framework
from flask import Request, Response

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.providers.connecting import CONNECT_COOKIE
from shared.usecases.connect import consented_provider, finish_consent, tenant_of_state


@functions_framework.http
@http_endpoint
def oauth_callback(request: Request) -> Response:
    state = wiring.argument(request, "state")
    tenant = tenant_of_state(state)
    provider = consented_provider(wiring.store(tenant), state)
    connecting = wiring.connecting(provider)
    credit = wiring.credit(tenant, provider=provider, asked=wiring.asked_store(tenant, request))
    connection = finish_consent(
        credit,
        provider=provider,
        state=connecting.state_of(request.args),
        binding=request.cookies.get(CONNECT_COOKIE, ""),
        exchange=partial(connecting.exchange, credit.authorization, request.args),
        keep=connecting.keeper(wiring.documents()),
        tasks=wiring.tasks(),
    )
    location = f"{wiring.web_url()}/connections/{connection.connection_id}?provider={provider}"
    return Response(status=302, headers={"Location": location})

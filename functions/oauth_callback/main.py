"""The person comes back from the vendor's consent page. Trigger: public HTTPS."""

import functions_framework
from flask import Request, Response

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.providers.google.notices import CONNECT_COOKIE
from shared.usecases.connect import finish_consent, tenant_of_state


@functions_framework.http
@http_endpoint
def oauth_callback(request: Request) -> Response:
    answer = wiring.consent_answer(request)
    connection = finish_consent(
        wiring.credit(tenant_of_state(answer.state)),
        provider="google",
        state=answer.state,
        binding=request.cookies.get(CONNECT_COOKIE, ""),
        code=answer.code,
        documents=wiring.documents(),
        tasks=wiring.tasks(),
        refused_features=wiring.refused_features,
    )
    location = f"{wiring.web_url()}/connections/{connection.connection_id}"
    return Response(status=302, headers={"Location": location})

"""DocuSign Connect webhook: verify, store, enqueue, answer. Trigger: public HTTPS."""

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import webhook_endpoint
from shared.providers.docusign.webhook import delivery_key, parse_delivery, verify_signature
from shared.usecases.accept_delivery import accept_delivery


@functions_framework.http
@webhook_endpoint
def docusign_webhook(request: Request) -> None:
    tenant, connection_id = wiring.notified(request)  # keys belong to an account; nothing is read before the proof
    body = wiring.notice_body(request)  # the signature covers these bytes, not the JSON parsed from them
    verify_signature(body, dict(request.headers), keys=wiring.connect_keys(tenant, connection_id))
    event = parse_delivery(body)
    accept_delivery(
        wiring.store(tenant),
        provider="docusign",
        connection_id=connection_id,
        event_key=delivery_key(event),
        kind=event.kind,
        body=body,
        function="contract_sync",
        vault=wiring.vault(tenant),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
    )

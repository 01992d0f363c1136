"""QuickBooks tells of changes: verify, store, queue, answer. Trigger: public HTTPS."""

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import webhook_endpoint
from shared.providers.quickbooks.webhook import parse_delivery, verify_signature
from shared.usecases.cash.accept_changes import accept_changes


@functions_framework.http
@webhook_endpoint
def quickbooks_webhook(request: Request) -> None:
    body = wiring.notice_body(request)  # the signature covers these bytes, whatever content type they claim to be
    verify_signature(body, dict(request.headers), keys=wiring.notice_keys("quickbooks"))
    accept_changes(
        "quickbooks",
        parse_delivery(body),
        routes=wiring.routes(),
        store_of=wiring.store,
        vault_of=wiring.vault,
        tasks=wiring.tasks(),
        clock=wiring.clock(),
    )

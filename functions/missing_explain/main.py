"""Why is this mail not here? Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import explanation_answer
from shared.entrypoints import http_endpoint
from shared.usecases.read_receipt import explain_missing


@functions_framework.http
@http_endpoint
def missing_explain(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    mailbox, message_id = wiring.argument(request, "mailbox"), wiring.argument(request, "message_id")
    gmail = wiring.gmail(store.tenant, mailbox)
    return explanation_answer(explain_missing(store, mailbox, gmail, message_id, asked_by=user))

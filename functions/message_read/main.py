"""One message with its body. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import message_answer
from shared.entrypoints import http_endpoint
from shared.usecases.read_timeline import open_message


@functions_framework.http
@http_endpoint
def message_read(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    message_id = wiring.argument(request, "message")
    return message_answer(open_message(store, message_id, user.viewer, blobs=wiring.blobs(store.tenant)))

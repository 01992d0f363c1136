"""The dry run of a backfill. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import estimate_answer, months_of
from shared.entrypoints import http_endpoint
from shared.usecases.estimate_backfill import estimate_backfill
from shared.usecases.read_receipt import require_reader


@functions_framework.http
@http_endpoint
def backfill_estimate(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    mailbox = wiring.argument(request, "mailbox")
    require_reader(store, mailbox, user)
    served = wiring.served({"tenant": store.tenant, "mailbox": mailbox})
    return estimate_answer(estimate_backfill(served, months_of(wiring.argument(request, "months"))))

"""Answer whether events missing from a calendar are gone or stay. Trigger: public HTTPS, signed-in users."""

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.usecases.calendar.settle_held_deletions import settle_held_deletions, verdict_named


@functions_framework.http
@http_endpoint
def deletions_settle(request: Request) -> None:
    store, user = wiring.signed_in(request)
    served = wiring.served_calendars({"tenant": store.tenant, "mailbox": wiring.argument(request, "mailbox")})
    verdict = verdict_named(wiring.argument(request, "verdict"))
    settle_held_deletions(served, wiring.argument(request, "stream"), user, verdict)

"""A calendar changed: prove the channel, queue the reading, answer. Trigger: public HTTPS."""

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import webhook_endpoint
from shared.providers.google.calendar import read_channel_notice
from shared.usecases.calendar.accept_notice import accept_notice


@functions_framework.http
@webhook_endpoint
def calendar_push(request: Request) -> None:
    notice = read_channel_notice(dict(request.headers))
    accept_notice(notice, routes=wiring.routes(), store_of=wiring.store, tasks=wiring.tasks())

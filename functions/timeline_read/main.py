"""A page of a contact's timeline, or of one's own record. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import position_of, timeline_answer
from shared.entrypoints import http_endpoint
from shared.usecases.read_timeline import read_contact_timeline, read_own_record


@functions_framework.http
@http_endpoint
def timeline_read(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    contact, before = request.args.get("contact"), position_of(request.args.get("cursor"))
    if contact is None:
        return timeline_answer(read_own_record(store, user, before=before))
    return timeline_answer(read_contact_timeline(store, contact, user.viewer, before=before))

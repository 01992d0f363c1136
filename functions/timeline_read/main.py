"""A page of a contact's, company's or deal's timeline, or of the own record. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import position_of, timeline_answer
from shared.entrypoints import http_endpoint
from shared.usecases.read_timeline import (
    read_company_timeline,
    read_contact_timeline,
    read_deal_timeline,
    read_own_record,
)

READERS = {"contact": read_contact_timeline, "company": read_company_timeline, "deal": read_deal_timeline}
"""By the argument that names whose timeline it is; without any it is one's own record."""


@functions_framework.http
@http_endpoint
def timeline_read(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    before = position_of(request.args.get("cursor"))
    named = next((name for name in READERS if name in request.args), None)
    if named is None:
        return timeline_answer(read_own_record(store, user, before=before))
    return timeline_answer(READERS[named](store, wiring.argument(request, named), user.viewer, before=before))

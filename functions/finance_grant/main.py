"""Grant a role invoices and ledger figures, or take them back. Trigger: public HTTPS, administrators."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.domain.people import Role
from shared.entrypoints import http_endpoint
from shared.usecases.cash.finance import grant_finance
from shared.usecases.cash.forms import choice


@functions_framework.http
@http_endpoint
def finance_grant(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    form = wiring.json_body(request)
    roles = grant_finance(
        store,
        choice(form, "role", Role),
        form.get("granted") is True,
        user,
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    return {"roles": sorted(role.value for role in roles)}

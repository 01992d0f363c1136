"""Connect a ledger with the keys an administrator enters. Trigger: public HTTPS, admins and finance."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.providers.netsuite.keys import entered, grant_of
from shared.usecases.cash.connect_ledger import connect_by_keys
from shared.usecases.cash.finance import require_ledger_setup


@functions_framework.http
@http_endpoint
def ledger_connect(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    require_ledger_setup(user)
    keys = entered(wiring.json_body(request))
    connection = connect_by_keys(
        wiring.keys_credit(store.tenant, user.user_id, store),
        provider=wiring.NETSUITE,
        user_id=user.user_id,
        grant=grant_of(keys, wiring.clock().now()),
        tasks=wiring.tasks(),
    )
    return {"connection": connection}

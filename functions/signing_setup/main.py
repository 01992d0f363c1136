"""Set up the signing service: account, keys, templates, kinds of contract. Trigger: public HTTPS, admins."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import signing_answer
from shared.cash_input import signing_choice
from shared.entrypoints import http_endpoint
from shared.usecases.cash.set_up_signing import read_setup, set_up


@functions_framework.http
@http_endpoint
def signing_setup(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    connection_id = wiring.signing_connection()
    signing = partial(wiring.signing, store.tenant, connection_id)
    if request.method != "GET":
        set_up(
            store,
            connection_id,
            signing_choice(wiring.json_body(request)),
            user,
            signing=signing,
            vault=wiring.vault(store.tenant),
            clock=wiring.clock(),
            jitter=wiring.jitter(),
        )
    return signing_answer(read_setup(store, connection_id, user, signing=signing))

"""After a connect: which accounts may be used. Trigger: Cloud Tasks, queue signing-open."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.set_up_signing import open_signing
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def signing_open(call: TaskCall) -> None:
    tenant, connection_id = call.payload["tenant"], call.payload["connection"]
    store = wiring.store(tenant)
    accounts = wiring.signing_accounts(tenant, connection_id)
    work = partial(open_signing, store, connection_id, "docusign", accounts=accounts)
    keep_promise(store, call.payload["promise"], work)

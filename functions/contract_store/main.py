"""Keep a signed contract and its certificate. Trigger: Cloud Tasks, queue contract-store."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.store_contract import store_contract
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def contract_store(call: TaskCall) -> None:
    tenant = call.payload["tenant"]
    store = wiring.store(tenant)
    work = partial(
        store_contract,
        store,
        call.payload["contract"],
        open_signing=partial(wiring.signing, tenant),
        blobs=wiring.blobs(tenant),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    keep_promise(store, call.payload["promise"], work)

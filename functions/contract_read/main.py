"""Read an envelope whose turn has come. Trigger: Cloud Tasks, queue contract-read."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.sync_contract import read_contract_task


@functions_framework.http
@task_endpoint
def contract_read(call: TaskCall) -> None:
    tenant, connection_id = call.payload["tenant"], call.payload["connection"]
    read_contract_task(
        wiring.store(tenant),
        call.payload["contract"],
        connection_id,
        signing=partial(wiring.signing, tenant, connection_id),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )

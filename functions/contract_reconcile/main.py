"""Bring an account's contracts up to what the signing service says. Trigger: Cloud Tasks, queue contract-reconcile."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.reconcile_contracts import reconcile_contracts


@functions_framework.http
@task_endpoint
def contract_reconcile(call: TaskCall) -> None:
    tenant, connection_id = call.payload["tenant"], call.payload["connection"]
    reconcile_contracts(
        wiring.store(tenant),
        connection_id,
        signing=partial(wiring.signing, tenant, connection_id),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )

"""Ask one ledger what changed since the last time. Trigger: Cloud Tasks, queue ledger-read."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.connect_ledger import tend_connection
from shared.usecases.cash.read_ledger import read_ledger


@functions_framework.http
@task_endpoint
def ledger_read(call: TaskCall) -> None:
    tenant, connection = call.payload["tenant"], call.payload["connection"]
    thorough = bool(call.payload["thorough"])
    if thorough:
        tend_connection(wiring.ledger_credit(tenant, connection), connection)
    read_ledger(
        wiring.store(tenant),
        connection,
        ledger=wiring.open_ledger(tenant)(connection),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
        thorough=thorough,
    )

"""A ledger was connected: read the company and begin with it. Trigger: Cloud Tasks, queue ledger-open."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.connect_ledger import connect_ledger
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def ledger_open(call: TaskCall) -> None:
    tenant, connection = call.payload["tenant"], call.payload["connection"]

    def work() -> None:
        connect_ledger(
            wiring.store(tenant),
            connection,
            ledger=wiring.ledger(tenant, connection),
            has_notices=wiring.sends_notices(tenant, connection),
            documents=wiring.documents(),
            clock=wiring.clock(),
            jitter=wiring.jitter(),
        )

    keep_promise(wiring.store(tenant), call.payload["promise"], work)

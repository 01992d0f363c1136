"""Make one planned invoice in the ledger. Trigger: Cloud Tasks, queue invoice-push."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.push_invoice import push_invoice
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def invoice_push(call: TaskCall) -> None:
    tenant = call.payload["tenant"]

    def work() -> None:
        push_invoice(
            wiring.store(tenant),
            call.payload["intent"],
            open_ledger=wiring.open_ledger(tenant),
            tasks=wiring.tasks(),
            clock=wiring.clock(),
            chance=wiring.chance(),
            jitter=wiring.jitter(),
        )

    keep_promise(wiring.store(tenant), call.payload["promise"], work)

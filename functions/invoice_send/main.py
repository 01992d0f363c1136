"""Have the ledger mail an invoice to its customer, once. Trigger: Cloud Tasks, queue invoice-send."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.send_invoice import send_invoice
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def invoice_send(call: TaskCall) -> None:
    tenant = call.payload["tenant"]

    def work() -> None:
        send_invoice(
            wiring.store(tenant),
            call.payload["intent"],
            open_ledger=wiring.open_ledger(tenant),
            clock=wiring.clock(),
            jitter=wiring.jitter(),
        )

    keep_promise(wiring.store(tenant), call.payload["promise"], work)

"""A deal was won: plan its invoices. Trigger: Cloud Tasks, queue invoice-trigger."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.plan_invoices import plan_invoices
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def invoice_trigger(call: TaskCall) -> None:
    store = wiring.store(call.payload["tenant"])

    def work() -> None:
        plan_invoices(store, call.payload["deal"], tasks=wiring.tasks(), clock=wiring.clock())

    keep_promise(store, call.payload["promise"], work)

"""Read again what changed in a ledger, and show it on the deal. Trigger: Cloud Tasks, queue payment-sync."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.accept_changes import change_from, sync_delivery
from shared.usecases.cash.sync_ledger_record import sync_ledger_record


@functions_framework.http
@task_endpoint
def payment_sync(call: TaskCall) -> None:
    tenant, open_ledger = call.payload["tenant"], wiring.open_ledger(call.payload["tenant"])
    store, tasks, clock, jitter = wiring.store(tenant), wiring.tasks(), wiring.clock(), wiring.jitter()
    delivery = call.payload.get("delivery")
    if delivery is not None:
        vault = wiring.vault(tenant)
        sync_delivery(store, delivery, vault=vault, open_ledger=open_ledger, tasks=tasks, clock=clock, jitter=jitter)
    else:
        connection = call.payload["connection"]
        change, ledger = change_from(call.payload), open_ledger(connection)
        sync_ledger_record(store, connection, change, ledger=ledger, tasks=tasks, clock=clock, jitter=jitter)

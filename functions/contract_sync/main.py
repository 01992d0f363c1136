"""Work on one delivery of the signing service. Trigger: Cloud Tasks, queue contract-sync."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.providers.docusign.webhook import parse_delivery
from shared.usecases.cash.sync_contract import sync_contract


@functions_framework.http
@task_endpoint
def contract_sync(call: TaskCall) -> None:
    tenant = call.payload["tenant"]
    sync_contract(
        wiring.store(tenant),
        call.payload["delivery"],
        read_event=parse_delivery,
        signing=partial(wiring.signing, tenant),
        vault=wiring.vault(tenant),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )

"""Attach and detach stored mail after a contact changed. Trigger: Cloud Tasks, queue contact-reattach."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.promises import keep_promise
from shared.usecases.reattach_contact import reattach_contact


@functions_framework.http
@task_endpoint
def contact_reattach(call: TaskCall) -> None:
    store = wiring.store(call.payload["tenant"])
    reattach = partial(
        reattach_contact,
        store,
        call.payload["contact"],
        keys=call.payload["keys"].split(),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    keep_promise(store, call.payload["promise"], reattach)

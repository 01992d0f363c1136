"""Compute a contact's figures anew. Trigger: Cloud Tasks, queue contact-refresh."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.contact_figures import refresh_figures
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def contact_refresh(call: TaskCall) -> None:
    store = wiring.store(call.payload["tenant"])
    contact = call.payload["contact"]
    keep_promise(store, call.payload["promise"], lambda: refresh_figures(store, contact, wiring.jitter()))

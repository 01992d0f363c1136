"""Search a mailbox for contacts' addresses. Trigger: Cloud Tasks, queue mailbox-catch-up."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.catch_up_missed import keep_catch_up
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def mailbox_catch_up(call: TaskCall) -> None:
    served = wiring.served(call.payload)
    keep_promise(served.store, call.payload["promise"], lambda: keep_catch_up(served, call.payload))

"""Pin, watch, open channels, then read the past of a mailbox. Trigger: Cloud Tasks, queue mailbox-open."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.open_mailbox import open_mailbox
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def mailbox_open(call: TaskCall) -> None:
    served = wiring.served(call.payload)
    open_calendars = wiring.calendars_opener(call.payload)
    keep_promise(served.store, call.payload["promise"], lambda: open_mailbox(served, open_calendars))

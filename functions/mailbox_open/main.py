"""Pin, watch, open channels, then read the past of a mailbox. Trigger: Cloud Tasks, queue mailbox-open."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.open_calendars import open_calendars
from shared.usecases.mail.open_mailbox import open_mailbox
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def mailbox_open(call: TaskCall) -> None:
    served = wiring.served(call.payload)
    calendars = partial(open_calendars, wiring.served_calendars(call.payload), documents=wiring.documents())
    keep_promise(served.store, call.payload["promise"], lambda: open_mailbox(served, calendars))

"""End a disconnected mailbox at Google and delete its credentials. Trigger: Cloud Tasks, queue mailbox-close."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.renew_channel import close_calendars
from shared.usecases.control_connection import close_mailbox
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def mailbox_close(call: TaskCall) -> None:
    ids = call.payload
    tenant, mailbox = ids["tenant"], ids["mailbox"]
    keep_promise(
        wiring.store(tenant),
        ids["promise"],
        lambda: close_mailbox(
            wiring.store(tenant),
            mailbox,
            ids["connection"],
            documents=wiring.documents(),
            gmail=wiring.gmail(tenant, mailbox),
            close_calendars=partial(close_calendars, wiring.served_calendars(ids), documents=wiring.documents()),
            vault=wiring.vault(tenant),
            authorization=wiring.authorization(),
            tasks=wiring.tasks(),
            clock=wiring.clock(),
        ),
    )

"""Read a mailbox's history into the ledger, or poll it. Trigger: Cloud Tasks, queue mailbox-sync."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.poll_calendars import poll_calendars
from shared.usecases.mail.poll_mailbox import poll_mailbox
from shared.usecases.mail.poll_mailboxes import poll_is_over
from shared.usecases.mail.sync_mailbox import sync_mailbox


@functions_framework.http
@task_endpoint
def mailbox_sync(call: TaskCall) -> None:
    served = wiring.served(call.payload)
    slot = call.payload.get("poll")
    if slot and poll_is_over(slot, served.clock):
        return
    if slot:
        poll_calendars(wiring.served_calendars(call.payload), slot=slot)
        poll_mailbox(served)
    else:
        sync_mailbox(served, wish=call.payload["wish"])

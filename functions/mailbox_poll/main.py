"""Poll every served mailbox, and prove that pushes still come. Trigger: Cloud Scheduler, every 5 minutes."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.mail.poll_mailboxes import poll_mailboxes


@functions_framework.http
@schedule_endpoint
def mailbox_poll(call: ScheduleCall) -> None:
    poll_mailboxes(wiring.documents(), tasks=wiring.tasks(), slot=call.scheduled_at)

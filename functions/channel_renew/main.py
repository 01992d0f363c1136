"""Open a calendar's next channel in place of the one that ends. Trigger: Cloud Tasks, queue channel-renew."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.renew_channel import renew_channel


@functions_framework.http
@task_endpoint
def channel_renew(call: TaskCall) -> None:
    served = wiring.served_calendars(call.payload)
    renew_channel(served, call.payload["stream"], documents=wiring.documents())

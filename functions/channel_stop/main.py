"""Stop a channel that was replaced. Trigger: Cloud Tasks, queue channel-stop."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.renew_channel import stop_channel
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def channel_stop(call: TaskCall) -> None:
    task = call.payload
    served = wiring.served_calendars(task)

    def stop() -> None:
        stop_channel(served, task["stream"], task["channel"], task["resource"], documents=wiring.documents())

    keep_promise(served.store, task["promise"], stop)

"""Read one calendar into its copies. Trigger: Cloud Tasks, queue calendar-sync."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.sync_calendar import sync_calendar


@functions_framework.http
@task_endpoint
def calendar_sync(call: TaskCall) -> None:
    served = wiring.served_calendars(call.payload)
    sync_calendar(served, call.payload["stream"], cause=Cause(call.payload["cause"]))

"""Build one meeting from all copies of it. Trigger: Cloud Tasks, queue meeting-rebuild."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.calendar.rebuild_meeting import rebuild_meeting


@functions_framework.http
@task_endpoint
def meeting_rebuild(call: TaskCall) -> None:
    rebuild_meeting(
        wiring.store(call.payload["tenant"]),
        call.payload["meeting"],
        recurrence=wiring.recurrence(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )

"""Bring back promised tasks that were lost, and erase what is due. Trigger: Cloud Scheduler, every 5 minutes."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.promises import sweep_outbox


@functions_framework.http
@schedule_endpoint
def outbox_sweep(_call: ScheduleCall) -> None:
    sweep_outbox(wiring.documents(), tasks=wiring.tasks(), clock=wiring.clock())

"""Prove that Gmail's pushes would reach us. Trigger: Cloud Scheduler, every 15 minutes."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.check_push_path import check_push_path


@functions_framework.http
@schedule_endpoint
def push_path_check(call: ScheduleCall) -> None:
    check_push_path(
        wiring.documents(),
        publisher=wiring.publisher(),
        subscriptions=wiring.subscriptions(),
        clock=wiring.clock(),
        slot=call.scheduled_at,
    )

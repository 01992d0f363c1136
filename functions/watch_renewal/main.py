"""Find watches and channels that end within two days, one task each. Trigger: Cloud Scheduler, hourly."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.renew_watches import renew_watches


@functions_framework.http
@schedule_endpoint
def watch_renewal(call: ScheduleCall) -> None:
    renew_watches(wiring.documents(), tasks=wiring.tasks(), clock=wiring.clock(), slot=call.scheduled_at)

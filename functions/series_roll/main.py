"""Let series roll on over the horizon. Trigger: Cloud Scheduler, hourly."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.calendar.roll_series import roll_series


@functions_framework.http
@schedule_endpoint
def series_roll(_: ScheduleCall) -> None:
    roll_series(wiring.documents(), tasks=wiring.tasks(), clock=wiring.clock())

"""Erase messages nobody has held for thirty days. Trigger: Cloud Scheduler, daily."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.mail.erase_hidden import erase_hidden


@functions_framework.http
@schedule_endpoint
def hidden_erase(_call: ScheduleCall) -> None:
    erase_hidden(wiring.documents(), blobs=wiring.blobs, clock=wiring.clock(), jitter=wiring.jitter())

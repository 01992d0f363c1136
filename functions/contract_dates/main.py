"""Contracts begin, end and remind of their end. Trigger: Cloud Scheduler, hourly."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.cash.turn_contracts import turn_contracts


@functions_framework.http
@schedule_endpoint
def contract_dates(_call: ScheduleCall) -> None:
    turn_contracts(wiring.documents(), clock=wiring.clock(), jitter=wiring.jitter())

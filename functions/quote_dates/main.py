"""Quotes end when their last day is over. Trigger: Cloud Scheduler, hourly."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.cash.expire_quotes import expire_quotes


@functions_framework.http
@schedule_endpoint
def quote_dates(_call: ScheduleCall) -> None:
    expire_quotes(wiring.documents(), clock=wiring.clock(), jitter=wiring.jitter())

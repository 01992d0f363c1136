"""Read every ledger's truth once a day. Trigger: Cloud Scheduler."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.cash.read_ledger import read_ledgers


@functions_framework.http
@schedule_endpoint
def ledger_reconcile(call: ScheduleCall) -> None:
    read_ledgers(wiring.documents(), tasks=wiring.tasks(), clock=wiring.clock(), slot=call.scheduled_at, thorough=True)

"""Queue one reconcile for each signing account. Trigger: Cloud Scheduler, daily."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.cash.reconcile_contracts import queue_reconciles


@functions_framework.http
@schedule_endpoint
def docusign_reconcile(call: ScheduleCall) -> None:
    queue_reconciles(wiring.documents(), tasks=wiring.tasks(), slot=call.scheduled_at)

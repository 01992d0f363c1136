"""Audit the last days of every mailbox. Trigger: Cloud Scheduler, nightly."""

import functions_framework

from shared import wiring
from shared.entrypoints import ScheduleCall, schedule_endpoint
from shared.usecases.mail.audit_mailboxes import audit_mailboxes


@functions_framework.http
@schedule_endpoint
def receipt_audit(call: ScheduleCall) -> None:
    audit_mailboxes(wiring.documents(), tasks=wiring.tasks(), slot=call.scheduled_at)

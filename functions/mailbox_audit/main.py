"""Compare a mailbox's ledger with what Gmail lists. Trigger: Cloud Tasks, queue mailbox-audit."""

from datetime import datetime

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.audit_mailbox import audit_mailbox


@functions_framework.http
@task_endpoint
def mailbox_audit(call: TaskCall) -> None:
    after, before = (datetime.fromisoformat(call.payload[name]) for name in ("after", "before"))
    audit_mailbox(wiring.served(call.payload), after=after, before=before)

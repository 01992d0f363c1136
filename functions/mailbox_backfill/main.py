"""One step of a mailbox's backfill: list, plan or read a page. Trigger: Cloud Tasks, queue mailbox-backfill."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.backfill_mailbox import backfill_page


@functions_framework.http
@task_endpoint
def mailbox_backfill(call: TaskCall) -> None:
    backfill_page(wiring.served(call.payload), call.payload["run"], attempt=call.attempt)

"""Renew one mailbox's watch. Trigger: Cloud Tasks, queue watch-renew."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.renew_mail_watch import renew_mail_watch


@functions_framework.http
@task_endpoint
def watch_renew(call: TaskCall) -> None:
    renew_mail_watch(wiring.served(call.payload))

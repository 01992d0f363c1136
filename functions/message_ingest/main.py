"""Post, leave out or quarantine messages that just arrived. Trigger: Cloud Tasks, queue message-ingest."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.ingest_messages import Item, ingest_messages


@functions_framework.http
@task_endpoint
def message_ingest(call: TaskCall) -> None:
    items = [Item(gmail_id, rev) for gmail_id, rev in call.payload["messages"]]
    ingest_messages(wiring.served(call.payload), items, attempt=call.attempt)

"""Search a mailbox for a contact's addresses. Trigger: Cloud Tasks, queue mailbox-catch-up."""

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.records.people import Contacts
from shared.usecases.mail.catch_up_mailbox import catch_up_mailbox
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def mailbox_catch_up(call: TaskCall) -> None:
    served = wiring.served(call.payload)
    contacts = Contacts(served.store).get_all([call.payload["contact"]])
    emails = [email for stored in contacts for email in stored.contact.emails]
    keep_promise(served.store, call.payload["promise"], lambda: catch_up_mailbox(served, emails))

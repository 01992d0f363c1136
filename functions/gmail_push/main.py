"""Gmail push: a hint that a mailbox changed wakes its sync. Trigger: Pub/Sub push, topic gmail-push."""

import functions_framework

from shared import wiring
from shared.entrypoints import Push, push_endpoint
from shared.providers.google.notices import read_notice
from shared.usecases.check_push_path import HEARTBEAT, hear_heartbeat
from shared.usecases.mail.notice_mail import notice_mail


@functions_framework.http
@push_endpoint
def gmail_push(push: Push) -> None:
    if HEARTBEAT in push.attributes:
        hear_heartbeat(wiring.documents(), clock=wiring.clock())
        return
    notice = read_notice(push.data)
    notice_mail(
        notice.address,
        notice.history_id,
        routes=wiring.routes(),
        tasks=wiring.tasks(),
        clock=wiring.clock(),
    )

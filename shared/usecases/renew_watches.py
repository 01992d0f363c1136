"""Find watches and channels that are due, one task each (I5, G29)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared import log
from shared.domain.ids import digest
from shared.ports.documents import Documents
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock
from shared.records.sweeps import watches_ending_before

MAIL_WATCH_ID = "mail-watch"
RENEW_MAIL_BEFORE = timedelta(days=6)
"""A Gmail watch lasts seven days and is renewed daily, as Google recommends."""

RENEW_CHANNEL_BEFORE = timedelta(days=2)
ALARM_BEFORE = timedelta(hours=48)


def renew_watches(documents: Documents, *, tasks: Tasks, clock: Clock, slot: datetime) -> int:
    """One task per watch and its end, so that a renewal that failed is queued again by the next hour's slot.

    Returns how many are due.
    """
    due = []
    for found in watches_ending_before(documents, clock.now() + RENEW_MAIL_BEFORE):
        ends_at = found.at
        if ends_at is None:
            continue
        mailbox_id, stream = found.segment(1), found.segment(3)
        mail = stream == MAIL_WATCH_ID
        if not mail and ends_at > clock.now() + RENEW_CHANNEL_BEFORE:
            continue
        if ends_at <= clock.now() + (ALARM_BEFORE if mail else timedelta(hours=12)):
            log.event("watch.near_its_end", severity="ERROR", tenant=found.tenant, mailbox=mailbox_id, stream=stream)
        name = digest("watch-renew", found.tenant, mailbox_id, stream, ends_at.isoformat(), slot.isoformat())
        payload = {"tenant": found.tenant, "mailbox": mailbox_id, "stream": stream}
        queue, function = ("watch-renew", "watch_renew") if mail else ("channel-renew", "channel_renew")
        due.append(Task(queue, function, name, payload))
    tasks.create(due)
    return len(due)

"""Queue the nightly audit of every served mailbox (G19)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.ids import digest
from shared.ports.documents import Documents
from shared.ports.tasks import Task, Tasks
from shared.records.sweeps import served_mailboxes

WINDOW = timedelta(days=3)
SPREAD_S = 3600
"""Audits start spread over an hour: everybody at once would be one more midnight storm."""


def audit_mailboxes(documents: Documents, *, tasks: Tasks, slot: datetime) -> int:
    """One task per mailbox and night; returns how many."""
    audits = []
    for found in served_mailboxes(documents):
        mailbox_id = found.segment(1)
        name = digest("mailbox-audit", found.tenant, mailbox_id, slot.isoformat())
        window = {"after": (slot - WINDOW).isoformat(), "before": slot.isoformat()}
        start = slot + timedelta(seconds=int(name[:8], 16) % SPREAD_S)
        payload = {"tenant": found.tenant, "mailbox": mailbox_id, **window}
        audits.append(Task("mailbox-audit", "mailbox_audit", name, payload, not_before=start))
    tasks.create(audits)
    return len(audits)

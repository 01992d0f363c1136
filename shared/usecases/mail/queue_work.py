"""The tasks of a mailbox, named by what makes each new (D3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.domain.backfill import Group, Wanted, grouped, header_units
from shared.domain.budget import Draw
from shared.domain.ids import digest
from shared.domain.ledger import SeenRow, Source, Wish
from shared.ports.tasks import Task
from shared.usecases.mail.served import ServedMailbox

LIVE_QUEUE = "message-ingest"
BACKFILL_QUEUE = "backfill-ingest"


def sync_task(
    tenant: str, mailbox_id: str, *new: str | int, wish: int | None, not_before: datetime | None = None
) -> Task:
    """Read a mailbox's history. `new` is what makes this call new: a history id, a poll's slot, a lease's fence."""
    return Task(
        queue="mailbox-sync",
        function="mailbox_sync",
        name=digest("mailbox-sync", tenant, mailbox_id, *new),
        payload={"tenant": tenant, "mailbox": mailbox_id, "wish": wish},
        not_before=not_before,
    )


def ingest_groups(rows: Iterable[SeenRow]) -> list[list[SeenRow]]:
    """Rows that one task reads together: three or more of one thread, everything else alone."""
    by_id = {row.gmail_id: row for row in rows}
    reading = [row for row in by_id.values() if row.wish is Wish.READ]
    groups = grouped(Wanted(row.gmail_id, row.gmail_thread_id) for row in reading)
    together = [[by_id[wanted.gmail_id] for wanted in group.messages] for group in groups]
    return together + [[row] for row in by_id.values() if row.wish is Wish.REMOVE]


def units_of(rows: Sequence[SeenRow], served: ServedMailbox) -> int:
    """What reading these together costs at most: headers and bodies; nothing for a removal."""
    if rows[0].wish is Wish.REMOVE:
        return 0
    group = Group(tuple(Wanted(row.gmail_id, row.gmail_thread_id) for row in rows))
    headers = header_units([group], served.prices)
    return headers if rows[0].headers_passed else 2 * headers


def start_times(costs: Sequence[int], granted: Draw, now: datetime) -> list[datetime]:
    """When each piece of work may start, if the whole may be done by `granted.ready_at`: paced at the budget's rate,
    and none before `granted.starts_at`."""
    left = sum(costs)
    starts = []
    for cost in costs:
        left -= cost
        starts.append(max(now, granted.starts_at, granted.ready_at - timedelta(seconds=left / granted.rate_per_s)))
    return starts


def ingest_task(rows: Sequence[SeenRow], served: ServedMailbox, not_before: datetime | None) -> Task:
    backfill = rows[0].source is Source.BACKFILL
    return Task(
        queue=BACKFILL_QUEUE if backfill else LIVE_QUEUE,
        function="backfill_ingest" if backfill else "message_ingest",
        name=digest(
            "message-ingest", *served.ids.values(), *(part for row in rows for part in (row.gmail_id, row.rev))
        ),
        payload={**served.ids, "messages": [[row.gmail_id, row.rev] for row in rows]},
        not_before=not_before,
    )


def audit_task(served: ServedMailbox, first: datetime, last: datetime) -> Task:
    """Compare the ledger of a window with what Gmail lists for it."""
    window = {"after": first.isoformat(), "before": last.isoformat()}
    return Task(
        queue="mailbox-audit",
        function="mailbox_audit",
        name=digest("mailbox-audit", *served.ids.values(), *window.values()),
        payload={**served.ids, **window},
    )

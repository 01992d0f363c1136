"""Make again what may have gone wrong: a mailbox's mail, the address index, old shapes of documents."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from infra.ops.desk import DONE, NEEDS_PERSON, Desk, add, takes_dry_run, takes_tenant
from shared import wiring


def register(commands: Any) -> None:
    resync = add(commands, "resync", resync_one, "read a mailbox again and queue whatever is missing")
    takes_tenant(resync)
    resync.add_argument("mailbox", help="by id or address")
    resync.add_argument("--since", type=_day, help="UTC day (YYYY-MM-DD); the backfill window's begin without it")
    takes_dry_run(resync)

    addresses = add(commands, "rebuild-addresses", rebuild_index, "make the address index from the records")
    takes_tenant(addresses, required=False)
    takes_dry_run(addresses)

    upgrade = add(commands, "upgrade", upgrade_all, "write every document in the newest shape")
    takes_tenant(upgrade, required=False)
    takes_dry_run(upgrade)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def resync_one(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.resync_mailbox import resync_mailbox

    result = resync_mailbox(
        desk.store(asked.tenant),
        desk.mailbox_id(asked.mailbox),
        since=asked.since,
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        dry_run=asked.dry_run,
    )
    does = "would be" if asked.dry_run else "is being"
    desk.screen.line(
        f"The mailbox {does} read again from {result.since:%Y-%m-%d} on, in {result.pieces} pieces of a week, and "
        f"{result.calendars} calendars from their begin. `receipts` shows when it is done."
    )
    return DONE


def rebuild_index(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.rebuild_addresses import rebuild_addresses

    rows = []
    for tenant in desk.tenants(asked.tenant):
        store = desk.store(tenant)
        result = rebuild_addresses(wiring.documents(), store, jitter=wiring.jitter(), dry_run=asked.dry_run)
        rows.append((tenant, result.rows, result.added, result.removed))
    title = "What would change" if asked.dry_run else "Address index"
    desk.screen.table(("tenant", "rows", "added", "removed"), rows, title=title)
    return DONE


def upgrade_all(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.upgrade_documents import upgrade_documents

    result = upgrade_documents(wiring.documents(), jitter=wiring.jitter(), tenant=asked.tenant, dry_run=asked.dry_run)
    upgraded = "old" if asked.dry_run else "upgraded"
    rows = [(name, count, result.old[name], result.newer[name]) for name, count in sorted(result.seen.items())]
    desk.screen.table(("collection", "documents", upgraded, "newer than known"), rows, title="Shapes of documents")
    for sentence in result.sentences:
        desk.screen.problem(sentence)
    return NEEDS_PERSON if result.newer else DONE

"""Look at the work and push it on: receipts, quarantine, outbox."""

from __future__ import annotations

from argparse import Namespace
from datetime import date
from typing import Any

from infra.ops.desk import DONE, NEEDS_PERSON, Desk, add, takes_dry_run, takes_tenant
from shared import wiring


def register(commands: Any) -> None:
    receipts = add(commands, "receipts", show_receipts, "the completeness receipt of every mailbox")
    takes_tenant(receipts, required=False)
    receipts.add_argument("--mailbox", help="one mailbox, by id or address")
    receipts.add_argument("--day", type=date.fromisoformat, help="of one UTC day (YYYY-MM-DD) instead of all time")

    quarantine = add(commands, "quarantine", show_quarantine, "what could not be handled, oldest first")
    takes_tenant(quarantine, required=False)
    quarantine.add_argument("--kind", help="of one kind only: message, task, push, event, series")

    replay = add(commands, "replay", replay_quarantine, "let parked things run again, once their cause is mended")
    takes_tenant(replay)
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("entry", nargs="?", help="one entry, by its id")
    which.add_argument("--all", action="store_true", help="every entry, oldest first")
    replay.add_argument("--kind", help="with --all: of one kind only")
    replay.add_argument("--limit", type=int, default=200, help="with --all: at most so many at once (200)")
    takes_dry_run(replay)

    outbox = add(commands, "outbox", drive_outbox, "queue again what was promised and did not run")
    takes_dry_run(outbox)


def show_receipts(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.read_receipts import read_receipts

    mailbox_id = desk.mailbox_id(asked.mailbox) if asked.mailbox else None
    found = list(
        read_receipts(wiring.documents(), wiring.clock(), tenant=asked.tenant, mailbox_id=mailbox_id, day=asked.day)
    )
    columns = (
        "tenant", "mailbox", "address", "listed", "logged", "left out", "quarantined", "gone", "waiting",
        "unexplained", "covered until", "watch ends", "problems",
    )  # fmt: skip
    rows = [
        (
            one.tenant,
            one.mailbox.mailbox_id,
            one.mailbox.address,
            one.receipt.listed,
            one.receipt.logged,
            sum(one.receipt.left_out.values()),
            one.receipt.quarantined,
            one.receipt.gone,
            one.receipt.waiting,
            one.receipt.unexplained,
            f"{one.receipt.covered_until:%Y-%m-%d %H:%M}" if one.receipt.covered_until else "never",
            f"{one.watch_expires_at:%Y-%m-%d %H:%M}" if one.watch_expires_at else "none",
            "; ".join(one.problems),
        )
        for one in found
    ]
    desk.screen.table(columns, rows, title="Receipts (times in UTC)")
    if not found:
        desk.screen.line("There is no mailbox.")
    wrong = sum(bool(one.problems) for one in found)
    if wrong:
        desk.screen.problem(f"{wrong} of {len(found)} mailboxes need a look; docs/operations.md says where.")
    return NEEDS_PERSON if wrong else DONE


def show_quarantine(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.replay_parked import parked_entries

    rows = [
        (
            tenant,
            entry.parked_id,
            entry.kind,
            f"{entry.parked_at:%Y-%m-%d %H:%M}",
            entry.times,
            "yes" if entry.kind == "message" or entry.function else "no",
            entry.reason,
        )
        for tenant in (*desk.tenants(asked.tenant), *([] if asked.tenant else [wiring.NO_TENANT]))
        for entry in parked_entries(desk.store(tenant), kind=asked.kind)
    ]
    columns = ("tenant", "entry", "kind", "parked at", "times", "can run again", "reason")
    count = desk.screen.table(columns, rows, title="Quarantine")
    if not count:
        desk.screen.line("Nothing is parked.")
    return NEEDS_PERSON if count else DONE


def replay_quarantine(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.operator import OPERATOR
    from shared.usecases.operations.replay_parked import parked_entries, replay_parked
    from shared.usecases.quarantine import replay

    store = desk.store(asked.tenant)
    if asked.dry_run:
        waiting = [entry for entry in parked_entries(store, kind=asked.kind) if asked.entry in (None, entry.parked_id)]
        desk.screen.line(f"{len(waiting[: asked.limit])} entries would run again.")
        return DONE
    if asked.entry:
        replay(store, asked.entry, OPERATOR, tasks=wiring.tasks(), clock=wiring.clock())
        desk.screen.line(f"{asked.entry} runs again.")
        return DONE
    result = replay_parked(store, tasks=wiring.tasks(), clock=wiring.clock(), limit=asked.limit, kind=asked.kind)
    desk.screen.line(f"{result.replayed} entries run again; those that fail again come back, counted.")
    if result.stuck:
        desk.screen.problem(f"{len(result.stuck)} cannot run again: {', '.join(result.stuck)}.")
    return NEEDS_PERSON if result.stuck else DONE


def drive_outbox(desk: Desk, asked: Namespace) -> int:
    from shared.domain.outbox import OVERDUE_AFTER
    from shared.records.sweeps import promised_before
    from shared.usecases.promises import sweep_outbox

    if asked.dry_run:
        overdue = promised_before(wiring.documents(), wiring.clock().now() - OVERDUE_AFTER)
        rows = [(found.tenant, found.segment(1), f"{found.at:%Y-%m-%d %H:%M}" if found.at else "") for found in overdue]
        count = desk.screen.table(("tenant", "promise", "promised at"), rows, title="Overdue promises")
        desk.screen.line(f"{count} promises would be queued again.")
        return DONE
    swept = sweep_outbox(wiring.documents(), tasks=wiring.tasks(), clock=wiring.clock())
    desk.screen.line(f"{swept} promises were overdue and are queued again.")
    return DONE

"""One person: everything there is about them, handed out or erased."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from infra.ops.desk import DONE, NEEDS_PERSON, Desk, add, takes_dry_run, takes_tenant
from shared import wiring
from shared.domain.erasure import SECOND_LOOK_AFTER, Erasure, ErasureState
from shared.usecases.operations.erase_person import Eraser, SignedPapers, erase_person, list_person, suppressed
from shared.usecases.operations.operator import OPERATOR


def register(commands: Any) -> None:
    export = add(commands, "export", export_one, "everything about one person, to hand to them")
    takes_tenant(export)
    export.add_argument("person", help="the contact's id, or an address that is theirs alone")
    export.add_argument("--to", type=Path, required=True, help="a new folder, or a .zip file")

    erase = add(commands, "erase", erase_one, "every trace of one person listed, then gone, with proof")
    takes_tenant(erase)
    erase.add_argument("person", help="the contact's id, or an address that is theirs alone")
    choices = [choice.value for choice in SignedPapers]
    erase.add_argument("--papers", choices=choices, help="what becomes of signed papers, where there are any")
    takes_dry_run(erase)


def export_one(desk: Desk, asked: Namespace) -> int:
    from infra.ops.person_folder import write_person
    from shared.usecases.operations.export_person import export_person, record_export

    store = desk.store(asked.tenant)
    contact_id = desk.contact_id(asked.tenant, asked.person)
    records = export_person(wiring.documents(), store, contact_id, vault=desk.vault(asked.tenant))
    written = write_person(asked.to, contact_id, records, wiring.blobs(asked.tenant), wiring.clock().now())
    record_export(store, contact_id, actor=OPERATOR.user_id, records=written.records, clock=wiring.clock())
    desk.screen.line(f"{written.records} records and {written.files} files are in {asked.to}.")
    return DONE


def erase_one(desk: Desk, asked: Namespace) -> int:
    contact_id = desk.contact_id(asked.tenant, asked.person)
    eraser = Eraser(
        documents=wiring.documents(),
        store=desk.store(asked.tenant),
        blobs=wiring.blobs(asked.tenant),
        vault=desk.vault(asked.tenant),
        recurrence=wiring.recurrence(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    if asked.dry_run:
        return _list(desk, eraser, contact_id)
    papers = SignedPapers(asked.papers) if asked.papers else None
    outcome = erase_person(eraser, contact_id, papers=papers, actor=OPERATOR.user_id)
    _prove(desk, eraser, outcome.erasure)
    if outcome.left:
        desk.screen.problem(f"{len(outcome.left)} traces are still there: {', '.join(outcome.left[:20])}.")
        desk.screen.problem(f"Run it again: make ops CMD='erase --tenant {asked.tenant} {contact_id}'")
        return NEEDS_PERSON
    return DONE


def _list(desk: Desk, eraser: Eraser, contact_id: str) -> int:
    listing = list_person(eraser, contact_id)
    desk.screen.table(("collection", "traces"), listing.traces.items(), title=f"Traces of {contact_id}")
    if listing.shared:
        desk.screen.line(f"{listing.shared} addresses stay: somebody else has them as well.")
    if listing.papers:
        desk.screen.line(f"Signed papers, for which --papers must be said: {', '.join(listing.papers)}.")
    for sentence in listing.under_way:
        desk.screen.problem(sentence)
    return NEEDS_PERSON if listing.under_way else DONE


def _prove(desk: Desk, eraser: Eraser, erasure: Erasure) -> None:
    """The proof in words, from what is stored."""
    screen = desk.screen
    screen.table(("collection", "traces found"), erasure.traces.items(), title=f"Erasure of {erasure.contact_id}")
    if erasure.state is ErasureState.ERASING:
        return
    screen.line(f"Found before: {sum(erasure.traces.values())} traces. Found now: 0.")
    if erasure.kept:
        screen.line(f"Kept, because they are signed: {', '.join(erasure.kept)}.")
    if erasure.shared:
        screen.line(f"{erasure.shared} addresses stay: somebody else has them as well.")
    held = "in place" if suppressed(eraser.store, erasure) else "MISSING"
    screen.line(
        f"What stays of the person: {len(erasure.suppressed)} keyed hashes ({held}), which keep the sync from bringing "
        f"them back: {', '.join(erasure.suppressed)}. Nobody can read an address from them."
    )
    if erasure.state is ErasureState.SETTLING and erasure.gone_at:
        due_at = erasure.gone_at + SECOND_LOOK_AFTER
        screen.line(
            f"Run `erase --tenant {eraser.store.tenant} {erasure.contact_id}` again after {due_at:%Y-%m-%d %H:%M} UTC: "
            "a second look finds what was under way."
        )
    elif erasure.done_at:
        screen.line(f"The second look at {erasure.done_at:%Y-%m-%d %H:%M} UTC found nothing. Done.")

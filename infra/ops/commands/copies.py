"""Back up and restore: Firestore's own export for a project, one file for the laptop, verified by count and digest."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from infra.ops.desk import DONE, Desk, add, takes_dry_run
from infra.ops.place import on_laptop
from shared import wiring
from shared.errors import InputError


def register(commands: Any) -> None:
    backup = add(commands, "backup", back_up, "copy everything: laptop to a file, project to a bucket")
    backup.add_argument("to", help="a file that is not there yet, or gs://bucket/folder")
    takes_dry_run(backup)

    restore = add(commands, "restore", bring_back, "put a backup into an empty store, and verify it")
    restore.add_argument("source", metavar="from", help="the file, or gs://bucket/folder")
    takes_dry_run(restore)


def back_up(desk: Desk, asked: Namespace) -> int:
    if asked.to.startswith("gs://"):
        return _gcloud(desk, "export", asked.to, dry_run=asked.dry_run)
    _require_laptop()
    from infra.ops.backup_file import write_backup
    from shared.usecases.operations.copy_documents import sums_of

    if asked.dry_run:
        sums = sums_of(wiring.documents())
        desk.screen.line(f"{sum(count for count, _ in sums.values())} documents would be copied to {asked.to}.")
        return DONE
    backup = write_backup(Path(asked.to), wiring.documents())
    desk.screen.table(("collection", "documents"), [(name, count) for name, (count, _) in backup.sums.items()])
    desk.screen.line(
        f"{backup.documents} documents are in {asked.to}. Copy the folder of bodies as well: {os.environ['BLOBS_URL']}"
    )
    return DONE


def bring_back(desk: Desk, asked: Namespace) -> int:
    if asked.source.startswith("gs://"):
        return _gcloud(desk, "import", asked.source, dry_run=asked.dry_run)
    _require_laptop()
    from infra.ops.backup_file import open_backup
    from shared.usecases.operations.copy_documents import restore_lines

    backup = open_backup(Path(asked.source))
    if asked.dry_run:
        desk.screen.line(f"{backup.documents} documents of {len(backup.sums)} collections would be restored.")
        return DONE
    with backup.lines() as lines:
        sums = restore_lines(wiring.documents(), lines, backup_id=backup.backup_id, sums=backup.sums)
    desk.screen.table(("collection", "documents"), [(name, count) for name, (count, _) in sums.items()])
    desk.screen.line(f"{backup.documents} documents are restored; counts and digests of all collections are equal.")
    return DONE


def _gcloud(desk: Desk, verb: str, folder: str, *, dry_run: bool) -> int:
    """Firestore's own: consistent, and gigabytes without passing through this machine. It goes on in the background."""
    command = ["gcloud", "firestore", verb, folder, f"--project={wiring.project()}", "--async", "--quiet"]
    if dry_run:
        desk.screen.line(" ".join(command))
        return DONE
    desk.screen.line(desk.commands.run(command).strip())
    desk.screen.line(f"Under way. To look: gcloud firestore operations list --project={wiring.project()}")
    return DONE


def _require_laptop() -> None:
    if not on_laptop():
        raise InputError("A project's backup lies in a bucket: name gs://bucket/folder in the project's region.")

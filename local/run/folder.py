"""The folder a run keeps its files in: one run at a time, and every run begins empty.

Firestore and Pub/Sub forget everything when they stop, so the tasks, mails and blobs of an earlier run would speak of
rows that are gone. Keys stay, so that a browser's sign-in goes on.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.cloud.environment import signing_key_file, wrapping_key_file

_OF_ONE_RUN = ("tasks", "google", "docusign", "quickbooks", "netsuite", "blobs", "bundles", "import")
_LOCK = "run.lock"


class FolderError(Exception):
    """The folder cannot be used; the message is one sentence for the person."""


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """The folder, held for this run alone and without what an earlier run left.

    Raises: FolderError when another run holds it, or when it holds files that no run made.
    """
    data = folder.resolve()
    if data.exists() and not data.is_dir():
        raise FolderError(f"DATA={folder} is a file: name a folder")
    if data.exists() and any(data.iterdir()) and not _ours(data):
        raise FolderError(f"DATA={folder} holds other files: name an empty or a new folder")
    data.mkdir(parents=True, exist_ok=True)
    with (data / _LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as held:
            raise FolderError(f"{folder} is used by another run (pid {_holder(data)}): stop it, or set DATA=") from held
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        for name in _OF_ONE_RUN:
            shutil.rmtree(data / name, ignore_errors=True)
        yield data


def _ours(data: Path) -> bool:
    return (data / _LOCK).exists() or (signing_key_file(data).exists() and wrapping_key_file(data).exists())


def _holder(data: Path) -> str:
    return (data / _LOCK).read_text() or "unknown"

"""A logical backup as one file: compressed lines, then a line with counts and digests that says it is whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from shared.errors import InputError
from shared.ports.documents import Documents
from shared.usecases.operations.copy_documents import Summing, Sums, backup_lines

_END = '{"end": '


@dataclass(frozen=True)
class Backup:
    path: Path
    sums: Sums

    @property
    def documents(self) -> int:
        return sum(count for count, _ in self.sums.values())

    @property
    def backup_id(self) -> str:
        """Backups with equal contents are the same backup."""
        return hashlib.sha256(json.dumps(self.sums, sort_keys=True).encode()).hexdigest()

    @contextmanager
    def lines(self) -> Iterator[Iterator[str]]:
        """Its documents, one a line."""
        with gzip.open(self.path, "rt") as file:
            yield (line.rstrip("\n") for line in islice(file, self.documents))


def write_backup(path: Path, documents: Documents) -> Backup:
    """The file appears when it is whole, readable by its owner alone. Raises: InputError for one that is there."""
    if path.exists():
        raise InputError(f"{path} is there already; name a new file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    summing = Summing()
    private = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(private, "wb") as raw, gzip.open(raw, "wt") as file:
        for line in backup_lines(documents, summing):
            file.write(line + "\n")
        file.write(json.dumps({"end": summing.sums}) + "\n")
    os.replace(draft, path)
    return Backup(path, summing.sums)


def open_backup(path: Path) -> Backup:
    """Raises: InputError for what is no backup, or is cut short."""
    try:
        last = ""
        with gzip.open(path, "rt") as file:
            for line in file:
                last = line
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as broken:
        raise InputError(f"{path} is no backup, or was cut short.") from broken
    if not last.startswith(_END):
        raise InputError(f"{path} is no backup, or was cut short.")
    sums = {name: (int(count), str(digest)) for name, (count, digest) in json.loads(last)["end"].items()}
    return Backup(path, sums)

"""What is known of one person as files: records as JSON lines, bodies and papers beside them, and a list of it all."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.errors import InputError, NotFoundError
from shared.ports.blobs import Blobs
from shared.usecases.operations.export_person import Exported

RECORDS, LIST = "records.jsonl", "contents.json"


@dataclass(frozen=True, slots=True)
class Written:
    records: int
    files: int


def write_person(
    target: Path, contact_id: str, records: Iterable[Exported], blobs: Blobs, exported_at: datetime
) -> Written:
    """Whole or not at all: a folder, or a zip where the target's name ends so.

    Raises: InputError for a target that is there already.
    """
    if target.exists():
        raise InputError(f"{target} is there already; name a new one.")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
    try:
        written = _fill(draft, contact_id, records, blobs, exported_at)
        if target.suffix == ".zip":
            packed = shutil.make_archive(str(draft), "zip", draft)
            os.replace(packed, target)
            target.chmod(0o600)
        else:
            os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def _fill(folder: Path, contact_id: str, records: Iterable[Exported], blobs: Blobs, exported_at: datetime) -> Written:
    counts: dict[str, int] = {}
    files: dict[str, str] = {}
    with (folder / RECORDS).open("w") as lines:
        for record in records:
            collection = record.path.rsplit("/", 2)[-2]
            counts[collection] = counts.get(collection, 0) + 1
            content = {"record": record.path, "fields": record.fields, "files": list(record.blobs)}
            lines.write(json.dumps(content, default=_plain, ensure_ascii=False) + "\n")
            files |= _copy(folder, record.blobs, blobs)
    contents = {
        "contact": contact_id,
        "exported_at": exported_at.isoformat(),
        "records": dict(sorted(counts.items())),
        "files": files,
    }
    (folder / LIST).write_text(json.dumps(contents, indent=1, ensure_ascii=False) + "\n")
    return Written(sum(counts.values()), len(files))


def _copy(folder: Path, keys: Iterable[str], blobs: Blobs) -> Mapping[str, str]:
    """Key -> SHA-256 of every file that was written."""
    copied = {}
    for key in keys:
        try:
            content = blobs.get(key)
        except NotFoundError:
            continue
        path = folder / "files" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        copied[key] = hashlib.sha256(content).hexdigest()
    return copied


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else base64.b64encode(value).decode()

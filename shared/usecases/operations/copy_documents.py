"""A logical backup: every document as one line of text, and back into an empty store, verified by count and digest.

For laptops and drills; a project's backups are Firestore's own. Lines are JSON with the types JSON lacks told beside
the value. The digest of a collection is the XOR of its lines' digests: the order they were read in says nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.errors import InputError
from shared.ports.documents import Create, Delete, Documents, Query, Replace, Write
from shared.records.walks import walk
from shared.usecases.operations.catalogue import CATALOGUE, collection_of

MARKER = "system/restore"
WRITES_A_COMMIT = 200
BYTES_A_COMMIT = 4_000_000
"""Firestore takes ten megabytes and five hundred writes."""

Sums = dict[str, tuple[int, str]]
"""Collection -> number of documents, digest of them all (hex)."""

_TIME, _BYTES = "$time", "$bytes"


def line_of(path: str, fields: Mapping[str, Any]) -> str:
    """The same document is the same line: keys are in order."""
    return json.dumps({"path": path, "fields": _plain(fields)}, sort_keys=True, ensure_ascii=False)


def document_of(line: str) -> tuple[str, dict[str, Any]]:
    """Raises: InputError for a line no backup of ours holds."""
    try:
        content = json.loads(line)
        return content["path"], _rich(content["fields"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("This file is no backup, or it is broken.") from error


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return {_TIME: value.isoformat()}
        case bytes():
            return {_BYTES: base64.b64encode(value).decode()}
        case Mapping():
            return {name: _plain(kept) for name, kept in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return [_rich(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_TIME}:
        return datetime.fromisoformat(value[_TIME])
    if value.keys() == {_BYTES}:
        return base64.b64decode(value[_BYTES])
    return {name: _rich(kept) for name, kept in value.items()}


class Summing:
    """Counts and digests of the documents that passed."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._digests: dict[str, int] = {}

    def add(self, path: str, line: str) -> None:
        collection = collection_of(path)
        digest = int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")
        self._counts[collection] = self._counts.get(collection, 0) + 1
        self._digests[collection] = self._digests.get(collection, 0) ^ digest

    @property
    def sums(self) -> Sums:
        return {name: (count, f"{self._digests[name]:064x}") for name, count in sorted(self._counts.items())}


def backup_lines(documents: Documents, summing: Summing) -> Iterator[str]:
    """Every document of every collection there is."""
    for collection in CATALOGUE:
        for document in walk(documents, collection):
            if document.path == MARKER:
                continue
            line = line_of(document.path, document.fields)
            summing.add(document.path, line)
            yield line


def sums_of(documents: Documents) -> Sums:
    summing = Summing()
    for _ in backup_lines(documents, summing):
        pass
    return summing.sums


def restore_lines(documents: Documents, lines: Iterable[str], *, backup_id: str, sums: Sums) -> Sums:
    """Write a backup into an empty store, or go on with the same backup where it was interrupted.

    backup_id: tells backups apart. sums: what the backup holds. Returns the sums of the store, equal to those.
    Raises: InputError for a store that is not empty, or does not hold the backup in the end.
    """
    if not _claim(documents, backup_id, sums):
        return sums
    batch: list[Write] = []
    size = 0
    for line in lines:
        path, fields = document_of(line)
        if batch and (len(batch) == WRITES_A_COMMIT or size + len(line) > BYTES_A_COMMIT):
            documents.commit(batch)
            batch, size = [], 0
        batch.append(Replace(path, fields))
        size += len(line)
    if batch:
        documents.commit(batch)
    restored = sums_of(documents)
    if restored != sums:
        wrong = sorted(name for name in {**restored, **sums} if restored.get(name) != sums.get(name))
        raise InputError(f"The store does not hold the backup: {', '.join(wrong)} differ. Empty it and restore again.")
    documents.commit([Delete(MARKER)])
    return restored


def _claim(documents: Documents, backup_id: str, sums: Sums) -> bool:
    """Whether there is anything to do: a store that holds this very backup is restored already."""
    marker = documents.get(MARKER)
    if marker is not None:
        if marker.fields["backup"] != backup_id:
            raise InputError("Another backup was being restored here; go on with that one, or empty the store.")
        return True
    for collection in CATALOGUE:
        if documents.find(Query(collection, limit=1, group=True)):
            if sums_of(documents) == sums:
                return False
            raise InputError(f"The store is not empty: it has '{collection}'. A restore writes into an empty one only.")
    documents.commit([Create(MARKER, {"v": 1, "backup": backup_id})])
    return True

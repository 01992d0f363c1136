"""Write every document in the newest shape this code knows (D10).

Readers upgrade in memory, so nothing waits for this; it is run before an old shape's upgrade is taken out of the code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared import log
from shared.errors import NewerDocumentError
from shared.ports.documents import Document, Documents, Drop, Update
from shared.ports.time import Jitter
from shared.records.codec import VERSION, Kind
from shared.records.store import guarded
from shared.records.walks import walk
from shared.usecases.operations.catalogue import CATALOGUE, Group


@dataclass
class Upgraded:
    """Counts by collection. newer: documents of a version this code does not know; they were left alone."""

    seen: Counter[str] = field(default_factory=Counter)
    old: Counter[str] = field(default_factory=Counter)
    newer: Counter[str] = field(default_factory=Counter)

    @property
    def sentences(self) -> list[str]:
        return [
            f"{count} documents of '{collection}' are newer than this code knows: deploy the newer version, or restore."
            for collection, count in sorted(self.newer.items())
        ]


def upgrade_documents(
    documents: Documents,
    *,
    jitter: Jitter,
    tenant: str | None = None,
    catalogue: Mapping[str, Group] = CATALOGUE,
    dry_run: bool = False,
) -> Upgraded:
    """Of all tenants, or of one. Safe to stop and to repeat: what is new already is not written."""
    result = Upgraded()
    for collection, group in catalogue.items():
        for document in walk(documents, collection, tenant=tenant):
            result.seen[collection] += 1
            kind = group.kind_of(document.id)
            version, newest = int(document.fields.get(VERSION, 1)), kind.version if kind else 1
            if version > newest:
                result.newer[collection] += 1
            elif kind is not None and version < newest:
                result.old[collection] += 1
                if not dry_run:
                    _upgrade(documents, document.path, kind, jitter)
    if result.old and not dry_run:
        log.event("documents.upgraded", documents=result.old.total())
    return result


def _upgrade(documents: Documents, path: str, kind: Kind[Any], jitter: Jitter) -> None:
    def attempt() -> None:
        current = documents.get(path)
        if current is not None and (changes := _changes(current, kind)):
            documents.commit([Update(path, changes, current.version)])

    guarded(jitter, path, attempt)


def _changes(document: Document, kind: Kind[Any]) -> dict[str, Any]:
    """What makes the document the newest shape: fields that changed, and those that are no more."""
    try:
        newest = kind.upgraded(document.fields)
    except NewerDocumentError:
        return {}  # a newer version of this code wrote it meanwhile
    changed = {name: value for name, value in newest.items() if document.fields.get(name) != value}
    gone = {name: Drop() for name in document.fields if name not in newest}
    return {**changed, **gone}

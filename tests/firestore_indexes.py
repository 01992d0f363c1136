"""Which index a query needs, and whether firestore.indexes.json has it.

Firestore refuses a query without its index; its emulator does not. The in-memory documents of the test worlds refuse as
Firestore does, so that every story checks the indexes of what it asks.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from shared.platform.firestore.queries import full_order
from shared.ports.documents import ID, Query

FILE = Path(__file__).parents[1] / "firestore.indexes.json"
INEQUALITIES = ("<", "<=", ">", ">=")

Field = tuple[str, str]
"""Field path, and ASCENDING, DESCENDING or CONTAINS."""

Index = tuple[str, str, tuple[Field, ...]]
"""Collection group, COLLECTION or COLLECTION_GROUP, fields."""


class MissingIndexError(AssertionError):
    """The message is the entry to add."""


def needed(query: Query) -> list[Index]:
    """The indexes a query needs beyond the automatic ones, which are single fields within one collection."""
    group = query.collection.rsplit("/", 1)[-1]
    scope = "COLLECTION_GROUP" if query.group else "COLLECTION"
    equal = [(name, "CONTAINS" if op == "array_contains" else "ASCENDING") for name, op, _ in query.where
             if op not in INEQUALITIES and name != ID]  # fmt: skip
    order = [(name, "DESCENDING" if down else "ASCENDING") for name, down in full_order(query)]
    ordered = [field for field in order if field[0] != ID and field[0] not in {name for name, _ in equal}]
    if not ordered or (not equal and len(ordered) == 1):
        return [(group, scope, (field,)) for field in (equal or ordered)] if query.group else []
    return [(group, scope, (*sorted(equal), *ordered))]


def require_index(query: Query) -> None:
    """Raises: MissingIndexError."""
    for index in needed(query):
        if index not in declared():
            raise MissingIndexError(f"firestore.indexes.json lacks {json.dumps(_entry(index))}")


@cache
def declared() -> frozenset[Index]:
    found: set[Index] = set()
    content = json.loads(FILE.read_text())
    for entry in content["indexes"]:
        fields = tuple((field["fieldPath"], field.get("order") or field["arrayConfig"]) for field in entry["fields"])
        equal = tuple(sorted(fields[: entry_equalities(entry)]))
        found.add((entry["collectionGroup"], entry["queryScope"], (*equal, *fields[entry_equalities(entry) :])))
        found.add((entry["collectionGroup"], entry["queryScope"], fields))
    for override in content["fieldOverrides"]:
        for single in override["indexes"]:
            field = (override["fieldPath"], single.get("order") or single["arrayConfig"])
            found.add((override["collectionGroup"], single["queryScope"], (field,)))
    return frozenset(found)


def entry_equalities(entry: dict[str, list[dict[str, str]]]) -> int:
    """All but the last field: any of them may serve an equality."""
    return len(entry["fields"]) - 1


def _entry(index: Index) -> object:
    group, scope, fields = index
    keyed = [
        {"fieldPath": name, "arrayConfig": kind} if kind == "CONTAINS" else {"fieldPath": name, "order": kind}
        for name, kind in fields
    ]
    if len(fields) == 1:
        single = {key: value for key, value in keyed[0].items() if key != "fieldPath"}
        return {"collectionGroup": group, "fieldPath": fields[0][0], "indexes": [{**single, "queryScope": scope}]}
    return {"collectionGroup": group, "queryScope": scope, "fields": keyed}

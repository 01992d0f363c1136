"""The in-memory database and Firestore go through the same random history and stay the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import AlreadyExistsError, StaleWriteError
from shared.platform.firestore.values import UnstorableError, Value
from shared.ports.documents import (
    Create,
    Delete,
    Document,
    Documents,
    Drop,
    Increment,
    Maximum,
    Merge,
    Op,
    Query,
    Remove,
    Union,
    Update,
    Write,
)
from tests.fakes import MemoryDocuments

pytestmark = pytest.mark.emulator

PATHS = [f"tenants/t/things/{name}" for name in "abcdef"] + ["tenants/t/things/a/things/x", "things/y"]
FIELDS = ["n", "m", "s", "é-1"]
KEYS = [*FIELDS, "m.n", "m.m", "m.m.é-1", "s.n"]
OPS: list[Op] = ["==", "<", "<=", ">", ">=", "in", "array_contains"]
DAY = datetime(2026, 3, 2, tzinfo=UTC)


class Dice:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def scalar(self) -> Value:
        some = [None, True, False, 0, 1, -3, 2**62, 0.5, 1.0, -1e300, "", "a", "Z", "é", b"", b"a", DAY]
        return self.random.choice([*some, DAY + timedelta(microseconds=self.random.randrange(5))])

    def value(self, depth: int = 0) -> Value:
        kind = self.random.random()
        if depth < 3 and kind < 0.25:
            names = self.random.sample(FIELDS, self.random.randrange(4))
            return {name: self.value(depth + 1) for name in names}
        if kind < 0.4:
            return [self.scalar() for _ in range(self.random.randrange(4))]
        return self.scalar()

    def change(self) -> Value:
        numbers = [0, 1, -2, 2**62]
        values = tuple(self.scalar() for _ in range(self.random.randrange(1, 3)))
        transforms = [Increment(self.random.choice(numbers)), Maximum(self.random.choice(numbers)), Union(values)]
        return self.random.choice([self.value(), self.value(), *transforms, Remove(values), Drop()])

    def write(self, path: str, seen: Document | None) -> Write:
        version = seen.version if seen and self.random.random() < 0.5 else None
        match self.random.randrange(5):
            case 0:
                return Create(path, {name: self.value() for name in self.random.sample(FIELDS, 3)})
            case 1:
                return Delete(path, version)
            case 2:
                return Merge(path, {name: self.change() for name in self.random.sample(FIELDS, 2)})
            case _:
                return Update(path, {key: self.change() for key in self.random.sample(KEYS, 2)}, version)

    def query(self) -> Query:
        fields = [*FIELDS, "m.n"]
        where: list[tuple[str, Op, Value]] = []
        if self.random.random() < 0.7:
            op = self.random.choice(OPS)
            operand = [self.scalar(), self.scalar()] if op == "in" else self.value(2)
            where = [(self.random.choice(fields), op, operand)]
        order_by: tuple[str, ...] = tuple(self.random.sample(fields, self.random.randrange(3)))
        order_by = tuple(name if self.random.random() < 0.5 else "-" + name for name in order_by)
        if where and where[0][1] in {"<", "<=", ">", ">="}:
            rest = [name for name in order_by if name.removeprefix("-") != where[0][0]]
            order_by = (where[0][0], *rest)
        start_after = tuple(self.scalar() for _ in order_by) if order_by and self.random.random() < 0.3 else None
        limit = self.random.choice([None, 1, 3])
        if self.random.random() < 0.3:
            return Query("things", tuple(where), order_by, limit, start_after, group=True)
        return Query("tenants/t/things", tuple(where), order_by, limit, start_after)


def outcome(documents: Documents, writes: Sequence[Write]) -> str:
    try:
        documents.commit(writes)
    except (AlreadyExistsError, StaleWriteError, UnstorableError) as error:
        return type(error).__name__
    return "written"


def state(documents: Documents) -> str:
    return repr([document and sorted_fields(document.fields) for document in documents.get_all(PATHS)])


def sorted_fields(value: Value) -> Value:
    """Maps in the order of their names, so that their text compares types too: True is not 1, and 1 is not 1.0."""
    if isinstance(value, dict):
        return {name: sorted_fields(value[name]) for name in sorted(value)}
    return [sorted_fields(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("documents", ["firestore"], indirect=True)
@pytest.mark.parametrize("seed", range(4))
def test_the_same_history_leaves_the_same_documents(documents: Documents, seed: int) -> None:
    dice, memory = Dice(seed), MemoryDocuments()
    written = 0
    for _ in range(120):
        paths = dice.random.sample(PATHS, dice.random.randrange(1, 4))
        kept = dice.random.getstate()
        batches = []
        for side in (memory, documents):
            dice.random.setstate(kept)  # the same batch, each with the versions of its own side
            batches.append([dice.write(path, side.get(path)) for path in paths])
        outcomes = [outcome(side, batch) for side, batch in zip((memory, documents), batches, strict=True)]
        assert outcomes[0] == outcomes[1], batches[0]
        assert state(memory) == state(documents), batches[0]
        written += outcomes[0] == "written"
        query = dice.query()
        try:
            found = [document.path for document in memory.find(query)]
        except UnstorableError:
            continue
        assert found == [document.path for document in documents.find(query)], (query, state(memory))
        assert memory.count(query) == documents.count(query) == len(found)
    assert written > 30

"""Everything that is stored: known by name, copied and put back, written in the newest shape (D10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import InputError, NewerDocumentError
from shared.ports.documents import Create, Documents, Update, Version, Write
from shared.records.codec import Kind
from shared.records.people import CONTACT
from shared.usecases.operations.catalogue import CATALOGUE, Group, unknown
from shared.usecases.operations.copy_documents import (
    MARKER,
    Summing,
    backup_lines,
    document_of,
    line_of,
    restore_lines,
    sums_of,
)
from shared.usecases.operations.upgrade_documents import Upgraded, upgrade_documents
from tests.fakes import FakeJitter, MemoryDocuments
from tests.mail_world import MailWorld, mail_world
from tests.test_crash_flows import all_flows


@pytest.mark.parametrize("found", all_flows(), ids=lambda found: found.flow.name)
def test_everything_the_product_writes_is_in_the_catalogue_with_its_kind(found: Any) -> None:
    world = found.flow.build()
    found.flow.run(world)
    memory = next(port for port in vars(world).values() if isinstance(port, MemoryDocuments))
    assert unknown(memory.paths()) == set()
    for path, fields in memory.dump().items():
        kind = CATALOGUE[path.rsplit("/", 2)[-2]].kind_of(path.rsplit("/", 1)[1])
        if kind is not None:
            known = kind.fields(kind.value(fields))
            assert {name: fields[name] for name in known} == known, path


# ------------------------------------------------------------------------------------------------------------- backup


@pytest.fixture
def world() -> MailWorld:
    world = mail_world()
    world.connects()
    world.arrives(subject="Über Ärger", text="Grüße")
    world.sync()
    return world


def backup(documents: Documents) -> tuple[list[str], Summing]:
    summing = Summing()
    return list(backup_lines(documents, summing)), summing


def test_a_backup_holds_everything_and_puts_it_back(world: MailWorld) -> None:
    lines, summing = backup(world.documents)
    assert len(lines) == len(world.memory.paths())
    empty = MemoryDocuments()
    sums = restore_lines(empty, lines, backup_id="b-1", sums=summing.sums)
    assert empty.dump() == world.memory.dump()
    assert sums == summing.sums == sums_of(world.documents)


def test_times_bytes_numbers_and_nesting_survive() -> None:
    fields = {
        "at": datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
        "key": b"\x00\xff",
        "half": 0.5,
        "whole": 2.0,
        "many": 2**53 + 1,
        "nothing": None,
        "inner": {"list": [{"at": datetime(2026, 1, 1, tzinfo=UTC)}, True, "é"]},
    }
    path, found = document_of(line_of("tenants/t/contacts/c", fields))
    assert (path, found) == ("tenants/t/contacts/c", fields)
    assert isinstance(found["whole"], float)


def test_a_restore_touches_no_store_with_something_in_it(world: MailWorld) -> None:
    lines, summing = backup(world.documents)
    other = MemoryDocuments()
    other.commit([Create("tenants/t/contacts/c", {"v": 1})])
    with pytest.raises(InputError, match="not empty"):
        restore_lines(other, lines, backup_id="b-1", sums=summing.sums)
    assert other.paths() == ["tenants/t/contacts/c"]


def test_an_interrupted_restore_goes_on_with_the_same_backup_only(world: MailWorld) -> None:
    lines, summing = backup(world.documents)
    store = MemoryDocuments()

    def broken() -> Iterator[str]:
        yield from lines[:-3]
        raise ConnectionError("the disk went")

    with pytest.raises(ConnectionError):
        restore_lines(store, broken(), backup_id="b-1", sums=summing.sums)
    assert MARKER in store.paths()
    with pytest.raises(InputError, match="Another backup"):
        restore_lines(store, lines, backup_id="b-2", sums=summing.sums)
    restore_lines(store, lines, backup_id="b-1", sums=summing.sums)
    assert store.dump() == world.memory.dump()


def test_a_backup_that_lost_or_changed_a_line_is_noticed(world: MailWorld) -> None:
    lines, summing = backup(world.documents)
    with pytest.raises(InputError, match="does not hold the backup"):
        restore_lines(MemoryDocuments(), lines[:-1], backup_id="b-1", sums=summing.sums)
    changed = [line.replace("Carl", "Karl") for line in lines]
    with pytest.raises(InputError, match="contacts differ"):
        restore_lines(MemoryDocuments(), changed, backup_id="b-1", sums=summing.sums)


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"path": "a/b"}', "no json"])
def test_what_is_no_backup_is_refused_with_a_sentence(line: str) -> None:
    with pytest.raises(InputError, match="no backup"):
        document_of(line)


# ------------------------------------------------------------------------------------------------------------ upgrade


@dataclass(frozen=True)
class Person:
    """The shape of today: version 3."""

    name: str
    city: str = ""


def _joined(fields: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in fields.items() if key not in ("first", "last")}
    return {**rest, "name": f"{fields['first']} {fields['last']}"}


def _moved(fields: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in fields.items() if key != "town"}, "city": fields.get("town", "")}


PERSON: Kind[Person] = Kind(Person, (_joined, _moved))
PEOPLE = {"people": Group(PERSON)}


@pytest.fixture
def people() -> MemoryDocuments:
    documents = MemoryDocuments()
    documents.commit(
        [
            Create("tenants/t/people/one", {"v": 1, "first": "A", "last": "B", "town": "Rome", "kept": {"by": "hand"}}),
            Create("tenants/t/people/three", {"v": 3, "name": "E F", "city": "Oslo"}),
            Create("tenants/t/people/two", {"v": 2, "name": "C D", "town": "Bern"}),
        ]
    )
    return documents


def upgrade(documents: Documents, **choices: Any) -> Upgraded:
    return upgrade_documents(documents, jitter=FakeJitter(), catalogue=PEOPLE, **choices)


def test_old_documents_are_written_in_the_newest_shape_and_keep_what_else_they_hold(people: MemoryDocuments) -> None:
    assert upgrade(people, dry_run=True).old == {"people": 2}
    assert upgrade(people).old == {"people": 2}
    assert people.dump() == {
        "tenants/t/people/one": {"v": 3, "name": "A B", "city": "Rome", "kept": {"by": "hand"}},
        "tenants/t/people/three": {"v": 3, "name": "E F", "city": "Oslo"},
        "tenants/t/people/two": {"v": 3, "name": "C D", "city": "Bern"},
    }
    assert upgrade(people).old == {}


def test_one_that_is_newer_than_this_code_is_left_alone_and_named(people: MemoryDocuments) -> None:
    people.commit([Create("tenants/t/people/four", {"v": 4, "names": []})])
    result = upgrade(people)
    assert result.sentences == [
        "1 documents of 'people' are newer than this code knows: deploy the newer version, or restore."
    ]
    assert people.dump()["tenants/t/people/four"] == {"v": 4, "names": []}
    assert result.old == {"people": 2}


def test_another_organization_is_not_touched(people: MemoryDocuments) -> None:
    assert upgrade(people, tenant="s").seen == {}
    assert upgrade(people, tenant="t").seen == {"people": 3}


def test_what_a_person_writes_meanwhile_is_kept(people: MemoryDocuments) -> None:
    commit = people.commit

    def somebody_else_first(writes: Sequence[Write]) -> list[Version]:
        del people.commit
        commit([Update("tenants/t/people/one", {"town": "Pisa"})])
        return commit(writes)

    people.commit = somebody_else_first  # type: ignore[method-assign]  # for one commit
    upgrade(people)
    assert people.dump()["tenants/t/people/one"]["city"] == "Pisa"


def test_the_products_own_documents_are_all_in_the_newest_shape(world: MailWorld) -> None:
    before = world.memory.dump()
    result = upgrade_documents(world.documents, jitter=FakeJitter())
    assert (result.old, result.newer) == ({}, {})
    assert result.seen.total() == len(before)
    with pytest.raises(NewerDocumentError):
        CONTACT.upgraded({"v": 9})

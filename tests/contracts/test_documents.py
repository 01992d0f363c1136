"""What every `Documents` does, in memory and on Firestore."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from shared.errors import AlreadyExistsError, StaleWriteError
from shared.platform.firestore.values import UnstorableError, Value
from shared.ports.documents import (
    ID,
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
    Replace,
    Union,
    Update,
    Version,
)

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
OSLO = timezone(timedelta(hours=1))
CONTACTS = "tenants/t/contacts"


def contact(name: str) -> str:
    return f"{CONTACTS}/{name}"


def read(documents: Documents, path: str) -> Document:
    document = documents.get(path)
    assert document is not None, f"{path} is absent"
    return document


def fields(documents: Documents, path: str) -> Value:
    return read(documents, path).fields


def ids(found: list[Document]) -> list[str]:
    return [document.id for document in found]


class Color(StrEnum):
    RED = "red"


# ------------------------------------------------------------------------------------------------------------ values


def test_a_document_comes_back_as_it_was_written(documents: Documents) -> None:
    written = {
        "nothing": None,
        "yes": True,
        "whole": -(2**63),
        "broken": 1.5,
        "text": "Zoë 日本",
        "bytes": b"\x00\xff",
        "at": NOON,
        "list": [1, "a", None, {"k": [2]}],
        "map": {"deep": {"deeper": NOON}, "with.dot": 1, "with space": 2},
        "empty_map": {},
        "empty_list": [],
    }
    documents.commit([Create(contact("a"), written)])
    document = read(documents, contact("a"))
    assert document.fields == written
    assert (document.path, document.id) == (contact("a"), "a")


def test_times_come_back_as_plain_utc(documents: Documents) -> None:
    documents.commit(
        [Create(contact("a"), {"at": NOON.astimezone(timezone(timedelta(hours=2))), "in": [{"at": NOON}]})]
    )
    found = fields(documents, contact("a"))
    for at in (found["at"], found["in"][0]["at"]):
        assert type(at) is datetime
        assert at == NOON
        assert at.utcoffset() == timedelta(0)


def test_tuples_come_back_as_lists_and_enums_as_texts(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"pair": (1, 2), "color": Color.RED})])
    found = fields(documents, contact("a"))
    assert found == {"pair": [1, 2], "color": "red"}
    assert type(found["color"]) is str


def test_what_was_given_and_what_was_read_are_private_copies(documents: Documents) -> None:
    given: dict[str, Any] = {"map": {"list": [1]}}
    documents.commit([Create(contact("a"), given)])
    given["map"]["list"].append(2)
    fields(documents, contact("a"))["map"]["list"].append(3)
    assert fields(documents, contact("a")) == {"map": {"list": [1]}}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(datetime(2026, 3, 2), id="a time without a zone"),  # noqa: DTZ001  the naive time is the subject
        pytest.param([[1]], id="a list inside a list"),
        pytest.param(2**63, id="an integer beyond 64 bits"),
        pytest.param({1, 2}, id="a set"),
        pytest.param(date(2026, 3, 2), id="a day"),
        pytest.param("x" * 1_048_576, id="a document over 1 MiB"),
        pytest.param({"": 1}, id="a field without a name"),
        pytest.param({"__x__": 1}, id="a field with a reserved name"),
        pytest.param([Increment(1)], id="an increment inside a list"),
        pytest.param([{"n": Increment(1)}], id="an increment inside a map inside a list"),
        pytest.param(Drop(), id="a drop in a new document"),
    ],
)
def test_what_no_document_can_hold_is_refused(documents: Documents, value: object) -> None:
    with pytest.raises(UnstorableError):
        documents.commit([Create(contact("a"), {"field": value})])
    assert documents.get(contact("a")) is None


def test_maps_twenty_deep_are_kept_and_deeper_ones_refused(documents: Documents) -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"m": nested(depth - 1)} if depth else {}

    documents.commit([Create(contact("a"), nested(20))])
    assert fields(documents, contact("a")) == nested(20)
    with pytest.raises(UnstorableError):
        documents.commit([Create(contact("b"), nested(21))])


@pytest.mark.parametrize(
    "path", ["tenants", "tenants/t/contacts", "tenants//contacts/a", "t/.", "t/..", "t/__a__", "t/"]
)
def test_paths_that_name_no_document_are_refused(documents: Documents, path: str) -> None:
    with pytest.raises(UnstorableError):
        documents.commit([Create(path, {})])
    with pytest.raises(UnstorableError):
        documents.get(path)


# ------------------------------------------------------------------------------------------------------------ create


def test_a_create_never_overwrites(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"n": 1})])
    with pytest.raises(AlreadyExistsError):
        documents.commit([Create(contact("a"), {"n": 2})])
    assert fields(documents, contact("a")) == {"n": 1}


def test_a_create_may_be_empty_and_may_count_from_nothing(documents: Documents) -> None:
    documents.commit(
        [
            Create(contact("empty"), {}),
            Create(
                contact("a"), {"n": Increment(2), "m": {"top": Maximum(5), "all": Union(("x", "x"))}, "r": Remove((1,))}
            ),
        ]
    )
    assert fields(documents, contact("empty")) == {}
    assert fields(documents, contact("a")) == {"n": 2, "m": {"top": 5, "all": ["x"]}, "r": []}


def test_a_dot_in_a_created_name_is_part_of_the_name(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"a.b": 1}), Merge(contact("b"), {"a.b": {"c.d": 2}})])
    assert fields(documents, contact("a")) == {"a.b": 1}
    assert fields(documents, contact("b")) == {"a.b": {"c.d": 2}}


# ------------------------------------------------------------------------------------------------------------ update


def test_an_update_changes_what_it_names_and_leaves_the_rest(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"n": 1, "m": {"x": 1, "y": 2}, "gone": 1, "list": [1, 2]})])
    documents.commit([Update(contact("a"), {"m.x": 9, "m.new.deep": 3, "gone": Drop(), "list": []})])
    assert fields(documents, contact("a")) == {"n": 1, "m": {"x": 9, "y": 2, "new": {"deep": 3}}, "list": []}


def test_an_update_with_a_map_replaces_that_map(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"m": {"x": 1}, "e": {"x": 1}})])
    documents.commit([Update(contact("a"), {"m": {"y": {"z": 2}}, "e": {}})])
    assert fields(documents, contact("a")) == {"m": {"y": {"z": 2}}, "e": {}}


def test_an_update_names_fields_that_are_no_identifiers(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"days": {"2026-03-02": 1}})])
    documents.commit([Update(contact("a"), {"days.2026-03-02": Increment(1), "days.9z`\\ /ü": 1, "9": {"k": 1}})])
    assert fields(documents, contact("a")) == {"days": {"2026-03-02": 2, "9z`\\ /ü": 1}, "9": {"k": 1}}


def test_an_update_through_a_value_that_is_no_map_makes_it_one(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"m": 1, "n": 1})])
    documents.commit([Update(contact("a"), {"m.x": 2, "n.x": Drop()})])
    assert fields(documents, contact("a")) == {"m": {"x": 2}, "n": 1}


def test_an_update_of_an_absent_document_is_stale(documents: Documents) -> None:
    with pytest.raises(StaleWriteError):
        documents.commit([Update(contact("a"), {"n": 1})])
    assert documents.get(contact("a")) is None


def test_an_update_at_a_version_is_written_only_at_that_version(documents: Documents) -> None:
    (first,) = documents.commit([Create(contact("a"), {"n": 1})])
    (second,) = documents.commit([Update(contact("a"), {"n": 2}, version=first)])
    assert read(documents, contact("a")).version == second
    with pytest.raises(StaleWriteError):
        documents.commit([Update(contact("a"), {"n": 3}, version=first)])
    with pytest.raises(StaleWriteError):
        documents.commit([Update(contact("b"), {"n": 3}, version=second)])
    assert fields(documents, contact("a")) == {"n": 2}


def test_an_update_with_a_transform_alone_is_guarded_too(documents: Documents) -> None:
    (first,) = documents.commit([Create(contact("a"), {"n": 1})])
    documents.commit([Update(contact("a"), {"n": Increment(1)}, version=first)])
    with pytest.raises(StaleWriteError):
        documents.commit([Update(contact("a"), {"n": Increment(1)}, version=first)])
    with pytest.raises(StaleWriteError):
        documents.commit([Update(contact("b"), {"n": Increment(1)})])
    assert fields(documents, contact("a")) == {"n": 2}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"a": 1, "a.b": 2}, id="a field and its inside"),
        pytest.param({"a..b": 1}, id="an empty name"),
        pytest.param({"a": {"b": Drop()}}, id="a drop inside a map that replaces another"),
        pytest.param({"a": {"b": Increment(1)}}, id="an increment inside a map that replaces another"),
    ],
)
def test_updates_that_make_no_sense_are_refused(documents: Documents, changes: dict[str, Any]) -> None:
    documents.commit([Create(contact("a"), {"a": 1})])
    with pytest.raises(UnstorableError):
        documents.commit([Update(contact("a"), changes)])


# ------------------------------------------------------------------------------------------------------------- merge


def test_a_merge_creates_the_document_or_merges_deeply(documents: Documents) -> None:
    documents.commit([Merge(contact("a"), {"m": {"x": 1}, "n": Increment(1)})])
    documents.commit([Merge(contact("a"), {"m": {"y": {"z": 2}}, "n": Increment(1), "list": [1]})])
    documents.commit([Merge(contact("a"), {"list": [2], "m": {"x": Drop()}})])
    assert fields(documents, contact("a")) == {"m": {"y": {"z": 2}}, "n": 2, "list": [2]}


def test_an_empty_merge_makes_an_empty_document_and_leaves_another_alone(documents: Documents) -> None:
    documents.commit([Create(contact("b"), {"n": 1})])
    documents.commit([Merge(contact("a"), {}), Merge(contact("b"), {})])
    assert fields(documents, contact("a")) == {}
    assert fields(documents, contact("b")) == {"n": 1}


def test_replace_leaves_nothing_of_what_was_there(documents: Documents) -> None:
    documents.commit([Replace(contact("a"), {"m": {"x": 1}, "n": 1})])
    documents.commit([Replace(contact("a"), {"m": {"y": 2}, "k": Increment(2)})])
    found = documents.get(contact("a"))
    assert found is not None
    assert found.fields == {"m": {"y": 2}, "k": 2}


def test_a_merge_of_an_empty_map_empties_the_map(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"m": {"x": 1}})])
    documents.commit([Merge(contact("a"), {"m": {}})])
    assert fields(documents, contact("a")) == {"m": {}}


def test_a_merge_that_drops_what_is_not_there_adds_nothing(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"n": 1})])
    documents.commit([Merge(contact("a"), {"m": {"x": Drop()}, "k": Drop()})])
    assert fields(documents, contact("a")) == {"n": 1}


def test_a_merge_through_a_value_that_is_no_map_makes_it_one(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"m": 1, "k": [1]})])
    documents.commit([Merge(contact("a"), {"m": {"x": Increment(3)}, "k": {"y": 1}})])
    assert fields(documents, contact("a")) == {"m": {"x": 3}, "k": {"y": 1}}


# -------------------------------------------------------------------------------------------------------- transforms


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (5, Increment(-2), 3),
        (1.5, Increment(2), 3.5),
        (None, Increment(2), 2),
        ("text", Increment(2), 2),
        (True, Increment(2), 2),
        (2**63 - 1, Increment(5), 2**63 - 1),
        (-(2**63), Increment(-5), -(2**63)),
        (5, Maximum(3), 5),
        (5, Maximum(7), 7),
        (7.5, Maximum(7), 7.5),
        (7.0, Maximum(7), 7.0),
        (6.5, Maximum(7), 7),
        ("text", Maximum(7), 7),
        (None, Maximum(-7), -7),
        ([1, 2], Union((2, 3, 3)), [1, 2, 3]),
        ([1, 1], Union((2,)), [1, 1, 2]),
        ([1], Union((1.0, True)), [1, True]),
        ("text", Union((1,)), [1]),
        ([{"a": 1}], Union(({"a": 1}, {"a": 2}, None)), [{"a": 1}, {"a": 2}, None]),
        ([1, 2, 1, None], Remove((1, None)), [2]),
        ([True, 1], Remove((1,)), [True]),
        ("text", Remove((1,)), []),
        ([1], Drop(), "absent"),
    ],
)
def test_changes_counted_by_the_store(documents: Documents, before: object, change: object, after: object) -> None:
    documents.commit([Create(contact("a"), {"f": before, "m": {"f": before}})])
    documents.commit([Update(contact("a"), {"f": change, "m.f": change})])
    found = fields(documents, contact("a"))
    for value in (found.get("f", "absent"), found["m"].get("f", "absent")):
        assert repr(value) == repr(after)


def test_changes_of_absent_fields_start_from_nothing(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {})])
    documents.commit(
        [Update(contact("a"), {"i": Increment(2), "x": Maximum(-1), "u.v": Union((1,)), "r": Remove((1,))})]
    )
    assert fields(documents, contact("a")) == {"i": 2, "x": -1, "u": {"v": [1]}, "r": []}


# ------------------------------------------------------------------------------------------------- delete and batches


def test_a_delete_takes_the_document_away_and_may_be_repeated(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"n": 1}), Create(contact("a") + "/timeline/e", {"n": 1})])
    documents.commit([Delete(contact("a"))])
    documents.commit([Delete(contact("a"))])
    assert documents.get(contact("a")) is None
    assert documents.get(contact("a") + "/timeline/e") is not None


def test_a_delete_at_a_version_is_done_only_at_that_version(documents: Documents) -> None:
    (first,) = documents.commit([Create(contact("a"), {"n": 1})])
    documents.commit([Update(contact("a"), {"n": 2})])
    with pytest.raises(StaleWriteError):
        documents.commit([Delete(contact("a"), version=first)])
    with pytest.raises(StaleWriteError):
        documents.commit([Delete(contact("b"), version=first)])
    documents.commit([Delete(contact("a"), version=read(documents, contact("a")).version)])
    assert documents.get(contact("a")) is None


def test_a_batch_is_written_whole_or_not_at_all(documents: Documents) -> None:
    documents.commit([Create(contact("a"), {"n": 1})])
    with pytest.raises(AlreadyExistsError):
        documents.commit([Create(contact("b"), {}), Merge(contact("c"), {"n": Increment(1)}), Create(contact("a"), {})])
    with pytest.raises(StaleWriteError):
        documents.commit([Create(contact("b"), {}), Delete(contact("a")), Update(contact("z"), {"n": 1})])
    assert documents.get_all([contact("b"), contact("c")]) == [None, None]
    assert fields(documents, contact("a")) == {"n": 1}


def test_a_batch_may_write_one_document_twice_in_order(documents: Documents) -> None:
    documents.commit(
        [Create(contact("a"), {"n": 1}), Update(contact("a"), {"n": Increment(1)}), Merge(contact("a"), {"m": 1})]
    )
    assert fields(documents, contact("a")) == {"n": 2, "m": 1}


def test_a_batch_answers_with_each_documents_new_version(documents: Documents) -> None:
    documents.commit([Create(contact("c"), {})])
    versions = documents.commit([Create(contact("a"), {}), Merge(contact("b"), {"n": 1}), Delete(contact("c"))])
    found = documents.get_all([contact("a"), contact("b")])
    assert versions == [*[document.version for document in found if document], Version("")]


def test_an_empty_batch_does_nothing(documents: Documents) -> None:
    assert documents.commit([]) == []


def test_a_write_that_changes_nothing_keeps_the_version(documents: Documents) -> None:
    (first,) = documents.commit([Create(contact("a"), {"n": 1, "m": {"x": 1}})])
    assert documents.commit([Update(contact("a"), {"n": 1, "m.x": 1})]) == [first]
    assert documents.commit([Merge(contact("a"), {"n": Maximum(1)})]) == [first]
    assert documents.commit([Update(contact("a"), {"n": True})]) != [first]


# ----------------------------------------------------------------------------------------------------------- reading


def test_many_documents_come_in_the_order_asked(documents: Documents) -> None:
    documents.commit([Create(contact(f"c{number:03d}"), {"n": number}) for number in range(130)])
    asked = [contact(f"c{number:03d}") for number in reversed(range(130))] + [contact("absent"), contact("c005")]
    found = documents.get_all(asked)
    assert [document and document.fields["n"] for document in found] == [*reversed(range(130)), None, 5]


def test_no_documents_asked_for_are_none(documents: Documents) -> None:
    assert documents.get_all([]) == []


# ----------------------------------------------------------------------------------------------------------- queries


@pytest.fixture
def people(documents: Documents) -> Documents:
    rows: dict[str, dict[str, Any]] = {
        "ada": {"age": 36, "city": "London", "tags": ["math", "code"], "at": NOON, "seen": {"u1": True}},
        "bob": {"age": 20, "city": "Oslo", "tags": [], "at": NOON + timedelta(days=1)},
        "cid": {"age": 20, "city": "London", "tags": ["code"], "at": None},
        "dan": {"age": 51.5, "city": None, "at": NOON - timedelta(days=1)},
        "eve": {"city": "Oslo", "tags": [{"k": 1}]},
        "fay": {"age": "old", "city": "Zürich", "tags": "math"},
    }
    documents.commit([Create(contact(name), row) for name, row in rows.items()])
    documents.commit(
        [Create("tenants/other/contacts/gus", {"age": 20, "city": "London"}), Create("contacts/top", {"age": 1})]
    )
    return documents


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ((), "ada bob cid dan eve fay"),
        ((("city", "==", "London"),), "ada cid"),
        ((("city", "==", None),), "dan"),
        ((("city", "in", ["Oslo", "Zürich"]),), "bob eve fay"),
        ((("age", "==", 20.0),), "bob cid"),
        ((("age", "<", 40),), "bob cid ada"),
        ((("age", "<=", 36),), "bob cid ada"),
        ((("age", ">", 20),), "ada dan"),
        ((("age", ">=", "a"),), "fay"),
        ((("at", ">", NOON),), "bob"),
        ((("at", ">=", NOON), ("at", "<", NOON + timedelta(days=1))), "ada"),
        ((("tags", "array_contains", "code"),), "ada cid"),
        ((("tags", "array_contains", {"k": 1}),), "eve"),
        ((("tags", "==", ["code"]),), "cid"),
        ((("seen.u1", "==", True),), "ada"),
        ((("city", "==", "London"), ("tags", "array_contains", "math")), "ada"),
        (((ID, ">", contact("cid")),), "dan eve fay"),
        (((ID, "in", [contact("eve"), contact("ada")]),), "ada eve"),
        ((("city", "==", "nowhere"),), ""),
    ],
)
def test_documents_are_found_by_their_fields(
    people: Documents, where: tuple[tuple[str, Op, Any], ...], expected: str
) -> None:
    query = Query(CONTACTS, where)
    assert ids(people.find(query)) == expected.split()
    assert people.count(query) == len(expected.split())


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        (("city",), "dan ada cid bob eve fay"),
        (("-city",), "fay eve bob cid ada dan"),
        (("city", "-" + ID), "dan cid ada eve bob fay"),
        (("age",), "bob cid ada dan fay"),
        (("age", "-city"), "bob cid ada dan fay"),
        (("at",), "cid dan ada bob"),
        (("tags",), "fay bob cid ada eve"),
    ],
)
def test_documents_come_in_order_and_only_with_the_field_they_are_ordered_by(
    people: Documents, order_by: tuple[str, ...], expected: str
) -> None:
    query = Query(CONTACTS, order_by=order_by)
    assert ids(people.find(query)) == expected.split()
    assert people.count(query) == len(expected.split())


@pytest.mark.parametrize("order_by", [(ID,), ("city", ID), ("-city", "-" + ID), ("city", "-age", ID)])
def test_pages_follow_each_other_without_gap_or_repeat(people: Documents, order_by: tuple[str, ...]) -> None:
    whole = people.find(Query(CONTACTS, order_by=order_by))
    paged: list[Document] = []
    start_after: tuple[Any, ...] | None = None
    while page := people.find(Query(CONTACTS, order_by=order_by, limit=2, start_after=start_after)):
        paged += page
        names = [name.removeprefix("-") for name in order_by]
        start_after = tuple(page[-1].path if name == ID else page[-1].fields[name] for name in names)
    assert ids(paged) == ids(whole)
    assert len(whole) >= 4


def test_a_page_starts_after_all_that_tie_when_only_the_field_is_given(people: Documents) -> None:
    assert ids(people.find(Query(CONTACTS, order_by=("city",), start_after=("London",)))) == ["bob", "eve", "fay"]


def test_ids_come_backwards_among_equals(people: Documents) -> None:
    query = Query(CONTACTS, (("city", "==", "London"),), order_by=("-" + ID,))
    assert ids(people.find(query)) == ["cid", "ada"]


def test_an_inequality_and_another_order(people: Documents) -> None:
    query = Query(CONTACTS, (("age", ">=", 20),), order_by=("age", "-" + ID), limit=2)
    assert ids(people.find(query)) == ["cid", "bob"]


def test_a_count_stops_at_the_limit(people: Documents) -> None:
    assert people.count(Query(CONTACTS, limit=2)) == 2


def test_a_collection_does_not_hold_its_neighbours(people: Documents) -> None:
    assert ids(people.find(Query("contacts"))) == ["top"]
    assert ids(people.find(Query("tenants/other/contacts"))) == ["gus"]
    assert people.find(Query("tenants/none/contacts")) == []


def test_a_group_finds_every_collection_of_that_name(people: Documents) -> None:
    twenty = Query("contacts", (("age", "==", 20),), group=True)
    assert {document.path for document in people.find(twenty)} == {
        contact("bob"),
        contact("cid"),
        "tenants/other/contacts/gus",
    }
    assert people.count(twenty) == 3


def test_a_group_is_paged_by_path(people: Documents) -> None:
    in_order = [document.path for document in people.find(Query("contacts", order_by=(ID,), group=True))]
    names = ["ada", "bob", "cid", "dan", "eve", "fay"]
    assert in_order == ["contacts/top", "tenants/other/contacts/gus", *map(contact, names)]
    rest = people.find(Query("contacts", order_by=(ID,), group=True, start_after=(in_order[1],), limit=2))
    assert [document.path for document in rest] == in_order[2:4]


def test_a_deleted_document_is_found_no_more(people: Documents) -> None:
    people.commit([Delete(contact("ada"))])
    assert ids(people.find(Query(CONTACTS, (("city", "==", "London"),)))) == ["cid"]
    assert people.count(Query("contacts", (("city", "==", "London"),), group=True)) == 2


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(Query("tenants/t"), id="a document's path"),
        pytest.param(Query("tenants/t/contacts", group=True), id="a path as a group"),
        pytest.param(Query(CONTACTS, (("a", "in", []),)), id="in nothing"),
        pytest.param(Query(CONTACTS, (("a", "in", list(range(31))),)), id="in too much"),
        pytest.param(Query(CONTACTS, (("a", "in", ["b", None]),)), id="in nothing or something"),
        pytest.param(Query(CONTACTS, (("a", "array_contains", None),)), id="a list with nothing in it"),
        pytest.param(Query(CONTACTS, (("a", "<", None),)), id="less than nothing"),
        pytest.param(Query(CONTACTS, order_by=("a", "-a")), id="one field in two orders"),
        pytest.param(Query(CONTACTS, order_by=("a",), start_after=(1, 2)), id="a cursor longer than the order"),
        pytest.param(Query(CONTACTS, order_by=("-" + ID,)), id="ids backwards"),
        pytest.param(Query(CONTACTS, limit=0), id="a page of nothing"),
    ],
)
def test_queries_that_make_no_sense_are_refused(documents: Documents, query: Query) -> None:
    with pytest.raises(UnstorableError):
        documents.find(query)
    with pytest.raises(UnstorableError):
        documents.count(query)

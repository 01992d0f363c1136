"""firestore.indexes.json, and what the test worlds make of it."""

from __future__ import annotations

import pytest

from shared.ports.documents import ID, Query
from tests.fakes import MemoryDocuments
from tests.firestore_indexes import MissingIndexError, declared, needed, require_index


def test_a_query_without_its_index_is_refused_with_the_entry_to_add() -> None:
    documents = MemoryDocuments(require_index)
    with pytest.raises(MissingIndexError, match=r'"collectionGroup": "contacts".*"fieldPath": "city"'):
        documents.find(Query("tenants/t/contacts", where=(("city", "==", "Rome"),), order_by=("age",)))


def test_what_firestore_indexes_by_itself_needs_no_entry() -> None:
    assert needed(Query("tenants/t/contacts", where=(("city", "==", "Rome"),), order_by=(ID,))) == []
    assert needed(Query("tenants/t/contacts", order_by=("-age",))) == []
    assert needed(Query("tenants/t/contacts", where=(("age", ">=", 3), ("age", "<=", 9)), order_by=("age", ID))) == []


def test_a_query_over_a_collection_group_needs_one_even_for_one_field() -> None:
    assert needed(Query("outbox", where=(("promised_at", "<=", 1),), group=True)) == [
        ("outbox", "COLLECTION_GROUP", (("promised_at", "ASCENDING"),))
    ]


def test_the_file_declares_what_the_ledger_asks() -> None:
    assert ("seen", "COLLECTION", (("state", "ASCENDING"), ("queued_at", "ASCENDING"))) in declared()

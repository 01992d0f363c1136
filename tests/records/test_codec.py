"""Documents of older code are read as if they were new; those of newer code wait for it (D10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import NewerDocumentError, RetryableError
from shared.ports.documents import Create, Update
from shared.records.codec import Kind
from shared.records.store import TenantStore
from tests.memory_documents import MemoryDocuments


@dataclass(frozen=True, slots=True)
class Card:
    """A person's card as it is now: version 1 had one `name` and one `email`, version 2 split the name."""

    first_name: str
    last_name: str
    emails: tuple[str, ...]
    met_at: datetime


def _split_name(fields: dict[str, Any]) -> dict[str, Any]:
    first_name, _, last_name = fields.pop("name").partition(" ")
    return {**fields, "first_name": first_name, "last_name": last_name}


def _several_emails(fields: dict[str, Any]) -> dict[str, Any]:
    email = fields.pop("email")
    return {**fields, "emails": [email] if email else []}


CARD = Kind(Card, upgrades=(_split_name, _several_emails))
MET_AT = datetime(2026, 3, 2, tzinfo=UTC)
NOW = Card("Carl", "Customer", ("carl@customer.example",), MET_AT)

BY_VERSION: dict[int, dict[str, Any]] = {
    1: {"name": "Carl Customer", "email": "carl@customer.example", "met_at": MET_AT, "v": 1},
    2: {
        "first_name": "Carl",
        "last_name": "Customer",
        "email": "carl@customer.example",
        "met_at": MET_AT,
        "v": 2,
    },
    3: CARD.fields(NOW),
}


@pytest.fixture
def store() -> TenantStore:
    return TenantStore(MemoryDocuments(), "acme")


@pytest.mark.parametrize("version", BY_VERSION)
def test_every_version_there_ever_was_reads_the_same(store: TenantStore, version: int) -> None:
    store.commit([Create("cards/carl", BY_VERSION[version])])
    found = store.get("cards/carl")
    assert found is not None
    assert CARD.value(found.fields) == NOW


def test_a_document_from_before_versions_is_of_the_first() -> None:
    first = {name: kept for name, kept in BY_VERSION[1].items() if name != "v"}
    assert CARD.value(first) == NOW


def test_reading_leaves_the_document_and_writing_brings_the_newest_shape(store: TenantStore) -> None:
    store.commit([Create("cards/carl", BY_VERSION[1])])
    found = store.get("cards/carl")
    assert found is not None
    card = CARD.value(found.fields)
    assert store.get("cards/carl") == found
    store.commit([Update("cards/carl", CARD.fields(card), found.version)])
    written = store.get("cards/carl")
    assert written is not None
    assert written.fields["v"] == 3
    assert CARD.value(written.fields) == NOW


def test_a_newer_document_is_left_for_newer_code_and_the_work_comes_again(store: TenantStore) -> None:
    with pytest.raises(NewerDocumentError, match="Card v4 is newer than v3") as refused:
        CARD.value({**BY_VERSION[3], "v": 4, "shape": "nobody here knows it"})
    assert isinstance(refused.value, RetryableError)

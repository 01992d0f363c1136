"""Walking everything there is: page by page, wherever it lies, and never into another organization."""

from __future__ import annotations

import pytest

from shared.ports.documents import Create, Delete
from shared.records import walks
from shared.records.walks import tenants, walk
from tests.fakes import MemoryDocuments
from tests.firestore_indexes import require_index

PATHS = (
    "tenants/a/messages/m1",
    "tenants/a/users/u/messages/m2",
    "tenants/acme/messages/m1",
    "tenants/acme/messages/m2",
    "tenants/acme/users/u/messages/m3",
    "tenants/acme2/messages/m1",
    "tenants/b/messages/m1",
)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "PAGE", 2)


@pytest.fixture
def documents() -> MemoryDocuments:
    documents = MemoryDocuments(require_index)
    documents.commit([Create(path, {"v": 1}) for path in PATHS])
    return documents


def test_a_walk_sees_every_collection_of_the_name(documents: MemoryDocuments) -> None:
    assert [found.path for found in walk(documents, "messages")] == list(PATHS)


def test_a_walk_of_one_organization_stays_inside(documents: MemoryDocuments) -> None:
    assert [found.path for found in walk(documents, "messages", tenant="acme")] == list(PATHS[2:5])
    assert [found.path for found in walk(documents, "messages", tenant="acme1")] == []
    assert [found.path for found in walk(documents, "messages", tenant="z")] == []


def test_deleting_on_the_way_skips_nothing(documents: MemoryDocuments) -> None:
    for found in walk(documents, "messages", tenant="acme"):
        documents.commit([Delete(found.path)])
    assert [path for path in documents.paths() if "/acme/" in path] == []


def test_organizations_are_those_that_were_set_up(documents: MemoryDocuments) -> None:
    documents.commit([Create(f"tenants/{name}/settings/organization", {"v": 1}) for name in ("b", "acme")])
    documents.commit([Create("tenants/acme/settings/else", {"v": 1})])
    assert tenants(documents) == ["acme", "b"]

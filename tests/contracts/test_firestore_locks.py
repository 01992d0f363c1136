"""What a lock that somebody else holds means for us."""

from __future__ import annotations

import pytest
from google.cloud import firestore_v1 as firestore

from shared.platform.firestore.documents import FirestoreDocuments
from shared.ports.documents import Create, Increment, Merge
from tests.fakes import FakeJitter


@pytest.mark.emulator
def test_a_reader_passes_a_lock_and_a_writer_waits_it_out(firestore_host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction elsewhere (a console, a script) holds a document; ours is written as soon as it lets go."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_host)
    client = firestore.Client(project="test-locks")
    jitter = FakeJitter()
    documents = FirestoreDocuments(client, jitter)
    documents.commit([Create("t/a", {"n": 0})])
    holder = client.transaction()
    holder._begin()
    client.document("t/a").get(transaction=holder)
    found = documents.get("t/a")
    assert found is not None
    assert found.fields == {"n": 0}
    jitter.on_wait = holder._rollback
    documents.commit([Merge("t/a", {"n": Increment(1)})])
    found = documents.get("t/a")
    assert found is not None
    assert found.fields == {"n": 1}
    assert jitter.waits == [0]

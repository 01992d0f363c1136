"""What waits for a time waits no longer; what is settled keeps its times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.chaos.time_passes import move_back
from shared.ports.documents import Create
from tests.fakes import MemoryDocuments

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=6)


@pytest.mark.parametrize(
    ("path", "fields", "after"),
    [
        ("outbox/o-1", {"promised_at": NOW}, {"promised_at": EARLIER}),
        ("mailboxes/b-1/seen/1", {"queued_at": NOW, "state": "queued"}, {"queued_at": EARLIER, "state": "queued"}),
        ("mailboxes/b-1/seen/2", {"queued_at": NOW, "state": "logged"}, {"queued_at": NOW, "state": "logged"}),
        ("contracts/y-1", {"sending_at": NOW}, {"sending_at": EARLIER}),
        (
            "mailboxes/b-1/streams/mail",
            {"read_at": NOW, "lease": {"owner": "one", "until": NOW, "fence": 3}},
            {"read_at": NOW, "lease": {"owner": "one", "until": EARLIER, "fence": 3}},
        ),
        ("invoice_intents/i-1", {"lease": {"owner": None, "until": None}}, {"lease": {"owner": None, "until": None}}),
    ],
)
def test_time_passes_for_what_waits(path: str, fields: dict[str, object], after: dict[str, object]) -> None:
    documents = MemoryDocuments()
    documents.commit([Create(f"tenants/acme/{path}", fields)])

    move_back(documents, timedelta(minutes=6))

    found = documents.get(f"tenants/acme/{path}")
    assert found is not None
    assert found.fields == after

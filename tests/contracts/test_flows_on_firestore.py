"""Every flow once on the real store: what the in-memory documents make of it, Firestore makes of it too."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

import tests.cash_world
import tests.contract_world
import tests.mail_world
import tests.usecases.calendar.world
from shared.platform.firestore.documents import FirestoreDocuments
from tests.test_crash_flows import all_flows

WORLDS = (tests.mail_world, tests.usecases.calendar.world, tests.cash_world, tests.contract_world)

pytestmark = pytest.mark.emulator


@pytest.fixture
def on_firestore(firestore_host: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From here on, worlds keep their documents in a new and empty database of the emulator."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_host)

    def documents(*_: Any) -> FirestoreDocuments:
        client = firestore.Client(project=f"flows-{uuid.uuid4().hex[:10]}", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # google-auth has no types here
        return FirestoreDocuments(client)

    def move() -> None:
        for world in WORLDS:
            monkeypatch.setattr(world, "MemoryDocuments", documents)

    return move


@pytest.mark.parametrize("found", all_flows(), ids=lambda found: found.flow.name)
def test_a_flow_ends_on_firestore_as_it_does_in_memory(found: Any, on_firestore: Callable[[], None]) -> None:
    in_memory = found.flow.build()
    found.flow.run(in_memory)
    expected = found.flow.end_state(in_memory)
    on_firestore()
    world = found.flow.build()
    found.flow.run(world)
    assert found.flow.end_state(world) == expected

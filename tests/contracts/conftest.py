"""Both sides of the contracts: the fakes, and the adapters with what they need."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ports.documents import Documents
from tests.emulators import firestore_emulator, pubsub_emulator, tasks_emulator
from tests.fakes import MemoryDocuments


@pytest.fixture(scope="session")
def firestore_host() -> Iterator[str]:
    with firestore_emulator() as host:
        yield host


@pytest.fixture(scope="session")
def pubsub_host() -> Iterator[str]:
    with pubsub_emulator() as host:
        yield host


@pytest.fixture(scope="session")
def tasks_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("tasks")
    with tasks_emulator(folder, folder / "key.pem") as host:
        yield host


@pytest.fixture(params=["memory", pytest.param("firestore", marks=pytest.mark.emulator)])
def documents(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Documents:
    """An empty database: in memory, and a project of its own on the emulator."""
    if request.param == "memory":
        return MemoryDocuments()
    from google.cloud import firestore_v1

    from shared.platform.firestore.documents import FirestoreDocuments

    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_host"))
    return FirestoreDocuments(firestore_v1.Client(project=f"test-{uuid.uuid4().hex[:12]}"))

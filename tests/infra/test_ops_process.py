"""`python -m infra.ops` as a process: the product's own wiring, the real store, real files, real queues."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

import tests.mail_world
from infra.ops.backup_file import open_backup
from infra.ops.desk import ASKED_WRONGLY, DONE, NEEDS_PERSON
from local.cloud.manifests import QueueSettings
from local.cloud.queues import create
from local.identity.keys import SigningKey
from shared.platform.blobs import ObjectBlobs
from shared.platform.firestore.documents import FirestoreDocuments
from shared.platform.wrapping_keys import FileWrappingKey
from shared.ports.documents import Query
from tests.emulators import firestore_emulator, tasks_emulator
from tests.mail_world import ANNA, CARL, DORA, TENANT, MailWorld, mail_world

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.emulator


class Cloud:
    """Documents, queues and blobs of one organization, and the commands that work on them."""

    def __init__(self, host: str, tasks_host: str, folder: Path) -> None:
        self.project = f"ops-{uuid.uuid4().hex[:10]}"
        self.folder = folder
        self.environment = {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "FIRESTORE_EMULATOR_HOST": host,
            "CLOUD_TASKS_EMULATOR_HOST": tasks_host,
            "TASKS_LOCATION": "local-1",
            "OIDC_CALLER": f"functions@{self.project}.iam.gserviceaccount.com",
            "FUNCTIONS_BASE_URL": "http://127.0.0.1:9",
            "BLOBS_URL": (folder / "blobs").as_uri(),
            "LOCAL_WRAPPING_KEY_FILE": str(folder / "wrapping.key"),
        }

    @property
    def client(self) -> firestore.Client:
        return firestore.Client(project=self.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # google-auth has no types here

    def ops(self, line: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.ops", *line.split()]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)

    def everything(self) -> set[str]:
        """Paths of all documents, found without knowing any collection's name."""
        found: set[str] = set()
        waiting = list(self.client.collections())
        while waiting:
            for reference in waiting.pop().list_documents():
                if reference.get().exists:
                    found.add(reference.path)
                waiting += list(reference.collections())
        return found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("ops")
    SigningKey.load_or_create(folder / "tasks.pem")
    with firestore_emulator() as host, tasks_emulator(folder, folder / "tasks.pem") as tasks_host:
        yield Cloud(host, tasks_host, folder)


@pytest.fixture
def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> MailWorld:
    """Carl wrote once at length; a mailbox is connected with sealed tokens."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", cloud.environment["FIRESTORE_EMULATOR_HOST"])
    cloud.project = cloud.environment["GOOGLE_CLOUD_PROJECT"] = f"ops-{uuid.uuid4().hex[:10]}"
    monkeypatch.setattr(tests.mail_world, "MemoryDocuments", lambda *_: FirestoreDocuments(cloud.client))
    world = mail_world(contacts=(CARL, DORA))
    world.blobs = ObjectBlobs(cloud.environment["BLOBS_URL"], TENANT)
    world.wrapping_key = FileWrappingKey.load_or_create(cloud.folder / "wrapping.key")
    world.connects()
    world.arrives(subject="From Carl", text="long " * 20_000)
    world.sync()
    queues = {name: QueueSettings() for name in ("mailbox-sync", "mailbox-audit")}
    create(cloud.environment["CLOUD_TASKS_EMULATOR_HOST"], cloud.project, "local-1", queues)
    return world


def test_it_works_as_a_process_with_the_products_own_wiring(cloud: Cloud, world: MailWorld) -> None:
    receipts = cloud.ops(f"receipts --tenant {TENANT}")
    assert receipts.returncode == NEEDS_PERSON  # the story plays in the past: nothing was read for long
    assert ANNA in receipts.stdout
    assert '"severity"' not in receipts.stdout
    resync = cloud.ops(f"resync --tenant {TENANT} {ANNA} --since 2026-02-20")
    assert (resync.returncode, resync.stderr) == (DONE, "")
    reseal = cloud.ops("reseal")
    assert (reseal.returncode, reseal.stderr) == (DONE, "")
    assert "sealed again" in reseal.stdout
    erased = cloud.ops(f"erase --tenant {TENANT} {CARL}")
    assert (erased.returncode, erased.stderr) == (DONE, "")
    assert "Found now: 0" in erased.stdout
    assert world.store.find(Query("messages")) == []
    assert not list((cloud.folder / "blobs").rglob("*.txt"))
    refused = cloud.ops(f"erase --tenant {TENANT} {CARL}")
    assert (refused.returncode, refused.stderr.count("\n")) == (ASKED_WRONGLY, 1)


def test_a_backup_holds_every_document_there_is(cloud: Cloud, world: MailWorld) -> None:
    file = cloud.folder / f"{uuid.uuid4().hex}.gz"
    assert cloud.ops(f"backup {file}").returncode == DONE
    assert world.store.get("contacts/c-carl") is not None
    assert open_backup(file).documents == len(cloud.everything())


def test_a_broken_key_file_ends_in_a_sentence(cloud: Cloud) -> None:
    cloud.environment = {**cloud.environment, "LOCAL_WRAPPING_KEY_FILE": str(cloud.folder / "tasks.pem")}
    cloud.project = cloud.environment["GOOGLE_CLOUD_PROJECT"] = f"ops-{uuid.uuid4().hex[:10]}"
    nobody = cloud.ops("receipts --tenant nobody")
    assert (nobody.returncode, nobody.stderr) == (DONE, "")
    broken = cloud.ops("rotate-kms")
    assert broken.returncode == ASKED_WRONGLY
    assert "bytes where a key has 32" in broken.stderr
    unknown = cloud.ops(f"resync --tenant {TENANT} b-nobody")
    assert (unknown.returncode, unknown.stderr) == (ASKED_WRONGLY, "mailbox b-nobody does not exist\n")

"""`make ops`: every command, over the in-memory company and once more on the Firestore emulator."""

from __future__ import annotations

import io
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

import tests.mail_world
from infra.ops.__main__ import main
from infra.ops.desk import ASKED_WRONGLY, DONE, NEEDS_PERSON, TRY_AGAIN, Desk
from infra.ops.screen import Screen
from shared import wiring
from shared.domain.cash.signing_settings import SigningSettings
from shared.domain.mailbox import mailbox_id
from shared.domain.outbox import promise
from shared.domain.quarantine import Parked
from shared.platform.firestore.documents import FirestoreDocuments
from shared.platform.recurrence import DateutilRecurrence
from shared.platform.wrapping_keys import FileWrappingKey
from shared.ports.documents import Create, Delete, Query, Update
from shared.records.addresses import Addresses
from shared.records.connections import Connections
from shared.records.followups import Outbox
from shared.records.signing import signing_services
from shared.usecases.access_token import access_token
from shared.usecases.cash.set_up_signing import connect_keys
from shared.usecases.quarantine import park
from tests.emulators import firestore_emulator
from tests.fakes import MemoryDocuments
from tests.mail_world import ANNA, CARL, DORA, KEY, TENANT, MailWorld, mail_world


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with firestore_emulator() as host:
        yield host


@pytest.fixture(params=["memory", pytest.param("firestore", marks=pytest.mark.emulator)])
def new_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """An empty store, in memory or in a database of its own."""
    if request.param == "memory":
        return MemoryDocuments
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("emulator"))

    def documents(*_: Any) -> FirestoreDocuments:
        client = firestore.Client(project=f"ops-{uuid.uuid4().hex[:10]}", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # google-auth has no types here
        return FirestoreDocuments(client)

    monkeypatch.setattr(tests.mail_world, "MemoryDocuments", documents)
    return documents


@dataclass
class Programs:
    """Stands before gcloud: keeps what was asked, answers what it is told to."""

    asked: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    def run(self, arguments: list[str], **_: Any) -> str:
        line = " ".join(arguments)
        self.asked.append(line)
        return next((answer for words, answer in self.answers.items() if words in line), "")


@dataclass
class Ops:
    """The commands over one world. said, complained: what the last one wrote."""

    world: MailWorld
    folder: Path
    programs: Programs = field(default_factory=Programs)
    said: str = ""
    complained: str = ""

    def __call__(self, line: str, given: str = "") -> int:
        output, errors = io.StringIO(), io.StringIO()
        desk = Desk(Screen(output, errors), self.programs, io.StringIO(given))  # type: ignore[arg-type]  # Programs asks less
        code = main(line.split(), desk)
        self.said, self.complained = output.getvalue(), errors.getvalue()
        return code

    def rows(self) -> list[dict[str, str]]:
        """The table of the last command."""
        lines = [line.split("\t") for line in self.said.splitlines() if "\t" in line]
        return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


@pytest.fixture
def ops(new_store: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    world = mail_world(contacts=(CARL, DORA))
    world.wrapping_key = FileWrappingKey.load_or_create(tmp_path / "wrapping.key")
    ports = {
        "documents": lambda: world.documents,
        "store": world.store_of,
        "tasks": lambda: world.tasks,
        "blobs": lambda _: world.blobs,
        "clock": lambda: world.clock,
        "chance": lambda: world.chance,
        "jitter": lambda: world.jitter,
        "wrapping_key": lambda: world.wrapping_key,
        "recurrence": DateutilRecurrence,
    }
    for name, port in ports.items():
        monkeypatch.setattr(wiring, name, port)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "ops")
    monkeypatch.setenv("LOCAL_WRAPPING_KEY_FILE", str(tmp_path / "wrapping.key"))
    monkeypatch.setenv("BLOBS_URL", (tmp_path / "blobs").as_uri())
    if "FIRESTORE_EMULATOR_HOST" not in os.environ:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "in memory")
    return Ops(world, tmp_path)


def test_receipts_show_every_mailbox_and_what_is_wrong_with_it(ops: Ops) -> None:
    ops.world.arrives()
    ops.world.sync()
    ops.world.poll(tests.mail_world.BEN)
    assert ops("receipts") == DONE
    by_address = {row["address"]: row for row in ops.rows()}
    assert (by_address[ANNA]["listed"], by_address[ANNA]["logged"], by_address[ANNA]["problems"]) == ("1", "1", "")
    ops.world.time.advance(1200)
    assert ops(f"receipts --tenant {TENANT} --mailbox {ANNA}") == NEEDS_PERSON
    assert "covered only until" in ops.said
    assert "1 of 1 mailboxes need a look" in ops.complained
    assert ops(f"receipts --tenant {TENANT} --mailbox b-none") == ASKED_WRONGLY


def test_quarantine_is_listed_and_runs_again(ops: Ops) -> None:
    payload = {"tenant": TENANT, "mailbox": mailbox_id(ANNA), "wish": None}
    entry = Parked("task", "k", "it broke", ops.world.clock.now(), {}, "mailbox-sync", "mailbox_sync", payload)
    park(ops.world.store, entry, ops.world.jitter)
    assert ops("quarantine") == NEEDS_PERSON
    (row,) = ops.rows()
    assert (row["entry"], row["can run again"], row["reason"]) == (entry.parked_id, "yes", "it broke")
    assert ops(f"replay --tenant {TENANT} --all --dry-run") == DONE
    assert ops.world.queue.pending() == []
    assert ops(f"replay --tenant {TENANT} {entry.parked_id}") == DONE
    assert len(ops.world.queue.pending("mailbox-sync")) == 1
    assert ops(f"replay --tenant {TENANT} --all") == DONE
    assert ops("quarantine") == DONE
    assert "Nothing is parked" in ops.said


def test_the_outbox_is_driven_again(ops: Ops) -> None:
    made = promise("contact_refresh", {"tenant": TENANT, "contact": "c-carl"}, ops.world.clock.now(), "c-carl")
    ops.world.store.commit([Outbox(ops.world.store).creating(made)])
    ops.world.time.advance(400)
    assert ops("outbox --dry-run") == DONE
    assert "1 promises would be queued" in ops.said
    assert ops.world.queue.pending() == []
    assert ops("outbox") == DONE
    assert [task.function for task in ops.world.queue.pending()] == ["contact_refresh"]


def test_a_mailbox_is_read_again(ops: Ops) -> None:
    lost = ops.world.arrives(at=ops.world.clock.now() - timedelta(days=3))
    ops.world.skips_history()
    ops.world.time.advance(60)
    assert ops(f"resync --tenant {TENANT} {ANNA} --dry-run") == DONE
    assert ops.world.queue.pending() == []
    assert ops(f"resync --tenant {TENANT} {ANNA} --since 2026-02-20") == DONE
    ops.world.drain()
    assert ops.world.message(lost) is not None


def test_the_address_index_is_made_again(ops: Ops) -> None:
    ops.world.store.commit([Delete(Addresses(ops.world.store, KEY).path(CARL))])
    assert ops("rebuild-addresses --dry-run") == DONE
    assert ops.rows()[0]["added"] == "1"
    assert ops(f"rebuild-addresses --tenant {TENANT}") == DONE
    assert Addresses(ops.world.store, KEY).rows([CARL])[CARL].known


def test_documents_are_upgraded_and_newer_ones_named(ops: Ops) -> None:
    assert ops("upgrade") == DONE
    assert all(row["upgraded"] == "0" for row in ops.rows())
    ops.world.store.commit([Update("contacts/c-carl", {"v": 99})])
    assert ops("upgrade --dry-run") == NEEDS_PERSON
    assert "newer than this code knows" in ops.complained


def test_keys_change_one_after_the_other_and_everything_opens(ops: Ops) -> None:
    ops.world.connects()
    (connection,) = [found.connection_id for found in Connections(ops.world.store).all()]
    token = access_token(ops.world.credit(), connection)
    ops.world.time.advance(960)
    assert ops("rotate-kms --dry-run") == DONE
    assert ops("rotate-kms") == DONE
    assert "1 of 1 data keys are wrapped anew, and 1 of them open" in ops.said
    assert ops("reseal --dry-run") == DONE
    assert ops("reseal") == DONE
    assert ops.rows()[0] | {"sealed again": "2", "left under older keys": "0"} == ops.rows()[0]
    assert ops("reseal --retire") == NEEDS_PERSON
    assert "younger than 15 minutes" in ops.complained
    ops.world.time.advance(960)
    assert ops("reseal --no-new-key") == DONE
    assert ops("reseal --retire") == DONE
    assert ops.rows()[0]["keys retired"] == "1"
    assert ops("rotate-kms --retire") == DONE
    assert len((ops.folder / "wrapping.key").read_bytes()) == 32
    assert access_token(ops.world.credit(), connection) == token


def test_one_person_is_handed_out_as_a_folder_or_a_zip(ops: Ops) -> None:
    ops.world.arrives(subject="From Carl", text="long " * 20_000)
    ops.world.sync()
    assert ops(f"export --tenant {TENANT} {CARL} --to {ops.folder / 'carl'}") == DONE
    records = [json.loads(line) for line in (ops.folder / "carl" / "records.jsonl").read_text().splitlines()]
    assert {record["record"].split("/")[0] for record in records} == {"contacts", "messages"}
    contents = json.loads((ops.folder / "carl" / "contents.json").read_text())
    (key,) = contents["files"]
    assert (ops.folder / "carl" / "files" / key).read_text().startswith("long long")
    assert ops(f"export --tenant {TENANT} c-carl --to {ops.folder / 'carl'}") == ASKED_WRONGLY
    ops.world.time.advance(1)
    assert ops(f"export --tenant {TENANT} c-carl --to {ops.folder / 'carl.zip'}") == DONE
    with zipfile.ZipFile(ops.folder / "carl.zip") as packed:
        assert {"records.jsonl", "contents.json", f"files/{key}"} <= set(packed.namelist())
    audited = [row.fields["action"] for row in ops.world.store.find(Query("audit"))]
    assert audited.count("contact.exported") == 2


def test_one_person_is_erased_with_proof(ops: Ops) -> None:
    ops.world.arrives(subject="From Carl")
    ops.world.sync()
    assert ops(f"erase --tenant {TENANT} {CARL} --dry-run") == DONE
    assert ("messages", "1") in [(row["collection"], row["traces"]) for row in ops.rows()]
    assert ops(f"erase --tenant {TENANT} {CARL}") == DONE
    assert "Found now: 0" in ops.said
    assert "1 keyed hashes (in place)" in ops.said
    assert f"`erase --tenant {TENANT} c-carl` again after" in ops.said
    ops.world.time.advance(960)
    assert ops(f"erase --tenant {TENANT} c-carl") == DONE
    assert "second look" in ops.said
    ops.world.arrives(subject="Carl again")
    ops.world.sync()
    assert ops.world.messages() == []
    assert ops(f"erase --tenant {TENANT} {CARL}") == ASKED_WRONGLY


def test_a_backup_is_restored_into_an_empty_store(
    ops: Ops, new_store: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ops.world.arrives(subject="Über alles")
    ops.world.sync()
    before = [document.fields for document in ops.world.store.find(Query("messages"))]
    assert ops(f"backup {ops.folder / 'all.gz'} --dry-run") == DONE
    assert ops(f"backup {ops.folder / 'all.gz'}") == DONE
    assert ops(f"backup {ops.folder / 'all.gz'}") == ASKED_WRONGLY
    ops.world.store.commit([Delete("contacts/c-dora")])
    assert ops(f"restore {ops.folder / 'all.gz'}") == ASKED_WRONGLY
    assert "not empty" in ops.complained
    empty = new_store()
    monkeypatch.setattr(wiring, "documents", lambda: empty)
    assert ops(f"restore {ops.folder / 'all.gz'} --dry-run") == DONE
    assert ops(f"restore {ops.folder / 'all.gz'}") == DONE
    assert "counts and digests of all collections are equal" in ops.said
    restored = [document.fields for document in empty.find(Query(f"tenants/{TENANT}/messages"))]
    assert restored == before
    assert empty.get(f"tenants/{TENANT}/contacts/c-dora") is not None


def test_a_backup_that_was_cut_short_is_refused(ops: Ops) -> None:
    assert ops(f"backup {ops.folder / 'all.gz'}") == DONE
    content = (ops.folder / "all.gz").read_bytes()
    (ops.folder / "half.gz").write_bytes(content[: len(content) // 2])
    (ops.folder / "none.gz").write_text("no backup")
    for name in ("half.gz", "none.gz", "absent.gz"):
        assert ops(f"restore {ops.folder / name}") == ASKED_WRONGLY
        assert len(ops.complained.splitlines()) == 1


def test_a_command_that_finds_a_store_down_says_so(ops: Ops) -> None:
    if isinstance(ops.world.documents, MemoryDocuments):
        ops.world.documents.down = True
        assert ops("receipts") == TRY_AGAIN
        assert ops.complained == "the document store is down. Nothing is half done: run the same command again.\n"


def test_no_address_of_a_person_is_written_into_what_stays_of_them(ops: Ops) -> None:
    ops.world.store.commit([Create("tasks/k-1", {"v": 1, "sentence": f"Call {CARL}", "deal_id": "d-1"})])
    assert ops(f"erase --tenant {TENANT} c-carl") == DONE
    found = ops.world.store.get("tasks/k-1")
    assert found is not None
    assert found.fields["sentence"] == "Call [erased]"


def test_keys_of_notices_are_added_from_standard_input_and_retired_by_fingerprint(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ops.folder / "quickbooks.json"
    client.write_text('{"client_id": "c", "verifier_tokens": ["old-token"]}')
    monkeypatch.setenv("QUICKBOOKS_OAUTH_CLIENT", str(client))
    assert ops("webhook-keys add --provider quickbooks", given="new-token\n") == DONE
    assert wiring.notice_keys("quickbooks") == ("new-token", "old-token")
    assert ops("webhook-keys list --provider quickbooks") == DONE
    assert "token" not in ops.said
    old = ops.rows()[1]["key"]
    assert ops("webhook-keys retire --provider quickbooks") == ASKED_WRONGLY
    assert ops(f"webhook-keys retire --provider quickbooks --key {old}") == DONE
    assert wiring.notice_keys("quickbooks") == ("new-token",)


def test_keys_of_an_organizations_notices(ops: Ops) -> None:
    settings = SigningSettings(wiring.signing_connection(), "docusign")
    ops.world.store.commit([signing_services(ops.world.store).creating(settings.connection_id, settings)])
    assert ops(f"webhook-keys add --provider docusign --tenant {TENANT}", given="one\n") == DONE
    assert ops(f"webhook-keys add --provider docusign --tenant {TENANT}", given="two\n") == DONE
    assert ops(f"webhook-keys list --provider docusign --tenant {TENANT}") == DONE
    shown = [row["key"] for row in ops.rows()]
    assert ops(f"webhook-keys retire --provider docusign --tenant {TENANT} --key {shown[1]}") == DONE
    assert connect_keys(ops.world.store, settings.connection_id, vault=ops.world.vault) == ("two",)
    assert ops(f"webhook-keys retire --provider docusign --tenant {TENANT} --key {shown[0]}") == ASKED_WRONGLY
    assert ops("webhook-keys list --provider docusign") == ASKED_WRONGLY


def test_a_projects_backup_is_firestores_own(ops: Ops) -> None:
    asked = "gcloud firestore export gs://b/1 --project=ops --async --quiet"
    assert ops("backup gs://b/1 --dry-run") == DONE
    assert ops.said == asked + "\n"
    assert ops.programs.asked == []
    assert ops("backup gs://b/1") == DONE
    assert ops("restore gs://b/1") == DONE
    assert ops.programs.asked == [asked, asked.replace("export", "import")]


def test_unknown_people_and_words_are_refused_with_a_sentence(ops: Ops) -> None:
    assert ops(f"erase --tenant {TENANT} nobody@else.example") == ASKED_WRONGLY
    assert "belongs to no contact" in ops.complained
    with pytest.raises(SystemExit):
        ops(f"erase --tenant {TENANT} c-carl --papers burn")


def test_a_terminal_gets_tables(ops: Ops) -> None:
    output = io.StringIO()
    main(["receipts"], Desk(Screen(output, rich=True), ops.programs, io.StringIO()))  # type: ignore[arg-type]  # as above
    assert "┃" in output.getvalue()

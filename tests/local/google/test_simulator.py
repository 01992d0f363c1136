"""The simulator as a whole: its state, clock, page and process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httplib2
import pytest

from local.cloud.serving import running
from local.google.app import create_app
from local.google.discovery import load_document
from local.google.publisher import publish_nowhere
from local.google.service import Settings
from local.google.simulator import Simulator
from local.identity.keys import SigningKey
from shared.providers.google.prices import GMAIL_UNITS
from tests.emulators import free_port
from tests.local.google.conftest import CLIENT, Google

ADA = "ada@acme.example"
TOPIC = "projects/demo/topics/gmail-push"


def deliver(google: Google, subject: str) -> str:
    body = {"from": "kim@client.example", "to": ADA, "subject": subject, "text": "x" * 100_000}
    return str(google.control("gmail/deliver", body)["messages"][ADA]["id"])


# -------------------------------------------------------------------------------------------------------------- state


def test_a_saved_state_comes_back_in_another_process(google: Google, signing_key: SigningKey) -> None:
    message_id = deliver(google, "Kept")
    google.build("gmail", "v1", ADA).users().watch(userId="me", body={"topicName": TOPIC}).execute()
    tokens = google.control("tokens", {"client_id": CLIENT["client_id"], "email": ADA, "scopes": ["openid"]})
    google.control("save", {"name": "story"})
    deliver(google, "Not kept")

    again = Simulator(google.simulator.settings, publish=publish_nowhere, key=signing_key)
    again.load("story")
    gmail: Any = again.mount("gmail").service
    assert [m["id"] for m in gmail.model.list_messages(ADA)["messages"]] == [message_id]
    assert gmail.model.message(ADA, message_id)["payload"]["body"]["size"] > 100_000
    assert gmail.model.pushes.live(ADA)
    refresh = {**CLIENT, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert again.grants.refresh(refresh)["access_token"]


def test_reset_forgets_people_and_mail_and_keeps_clients(google: Google) -> None:
    deliver(google, "Gone")
    google.control("reset")
    assert google.read("control/accounts") == {"accounts": []}
    assert google.control("clients", CLIENT) == {"client_id": CLIENT["client_id"]}
    google.control("accounts", {"email": ADA})
    assert google.token(ADA)
    assert google.control("gmail/mailbox", {"email": ADA})["messages"] == []


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("load", {"name": "nothing"}, "there is no saved state"),
        ("save", {"name": "../escape"}, "letters, digits"),
        ("accounts", {"email": ADA}, "has an account already"),
        ("accounts", {}, "needs an email address"),
        ("gmail/fly", {}, "gmail has no action fly"),
        ("people/deliver", {}, "there is no API people"),
        ("gmail/deliver", {"from": "kim@client.example", "to": "nobody@client.example"}, "no recipient has a mailbox"),
        ("gmail/deliver", {"to": ADA}, "from is missing"),
        ("gmail/trash", {"email": ADA}, "id is missing"),
        ("gmail/trash", {"email": ADA, "id": "18c"}, "not found"),
        ("gmail/pushes", {"next": "lose"}, "can be disturbed by"),
        ("gmail/seed", {"email": ADA, "paths": ["/nowhere.mbox"]}, "no such file"),
        ("tokens", {"client_id": "nobody", "email": ADA}, "names no registered client"),
    ],
)
def test_a_control_call_that_cannot_be_done_says_why(google: Google, path: str, body: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        google.control(path, body)


def test_a_mailbox_is_seeded_from_an_mbox_file(google: Google, tmp_path: Path) -> None:
    path = tmp_path / "export.mbox"
    path.write_bytes(
        b"From kim@client.example Mon Nov  2 10:00:00 2026\nFrom: kim@client.example\nTo: ada@acme.example\n"
        b"Date: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: One\n\nHello\n\n"
        b"From ada@acme.example Mon Nov  2 11:00:00 2026\nFrom: ada@acme.example\nTo: kim@client.example\n"
        b"Date: Mon, 2 Nov 2026 11:00:00 +0000\nSubject: Two\n\nBye\n"
    )
    assert google.control("gmail/seed", {"email": ADA, "paths": [str(path)]}) == {"added": 2, "left_out": []}
    held = google.control("gmail/mailbox", {"email": ADA})["messages"]
    assert [message["labels"] for message in held] == [["SENT"], ["INBOX"]]


# --------------------------------------------------------------------------------------------------------------- page


def test_a_person_sees_mailboxes_watches_and_quota(google: Google) -> None:
    deliver(google, "Offer")
    google.build("gmail", "v1", ADA).users().watch(userId="me", body={"topicName": TOPIC}).execute()
    _, page = httplib2.Http().request(google.root)
    text = page.decode()
    assert "<td>ada@acme.example</td><td>1</td>" in text
    assert TOPIC in text
    assert "6000 units a minute" in text


# ---------------------------------------------------------------------------------------------------------- the process


def test_a_mistake_of_the_simulator_is_a_500_and_is_remembered(tmp_path: Path, signing_key: SigningKey) -> None:
    simulator = Simulator(Settings(tmp_path), publish=publish_nowhere, key=signing_key)
    client = simulator.grants.register(CLIENT)
    simulator.create_account({"email": ADA})
    service: Any = simulator.mount("gmail").service
    service.calls = {**service.calls, "gmail.users.getProfile": lambda _call: {"emailAddress": ADA, "mood": "good"}}
    token = simulator.grants.issue(ADA, ["https://mail.google.com/"], client)["access_token"]
    with running(create_app(simulator)) as root:
        answer, _ = httplib2.Http().request(
            f"{root}/gmail/v1/users/me/profile", headers={"Authorization": f"Bearer {token}"}
        )
    assert answer.status == 500
    assert "mood" in simulator.gateway.violations[0]


def start(folder: Path, port: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.google", "--port", str(port), "--data", str(folder), *more]
    environment = {key: value for key, value in os.environ.items() if key != "PUBSUB_EMULATOR_HOST"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def test_the_process_serves_until_sigterm_and_leaves_cleanly(tmp_path: Path) -> None:
    port, clients = free_port(), tmp_path / "clients.json"
    clients.write_text(json.dumps([CLIENT]))
    process = start(tmp_path, port, "--clients", str(clients))
    try:
        assert process.stderr
        assert "notifications go nowhere" in process.stderr.readline()
        _wait_for(f"http://127.0.0.1:{port}/control/accounts")
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""


def test_a_taken_port_is_one_sentence_and_exit_code_2(google: Google, tmp_path: Path) -> None:
    port = int(google.root.rstrip("/").rsplit(":", 1)[1])
    process = start(tmp_path / "other", port)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"port {port} is taken" in errors.splitlines()[-1]


def _wait_for(url: str) -> None:
    while True:
        try:
            answer, _ = httplib2.Http().request(url)
        except OSError:
            continue
        assert answer.status == 200
        return


# ---------------------------------------------------------------------------------------------------- the documents


def test_every_gmail_price_names_a_call_of_the_document() -> None:
    assert set(GMAIL_UNITS) <= set(load_document("gmail", "v1").methods)


@pytest.mark.parametrize(
    ("body", "legal"),
    [
        ({"id": "1", "historyId": "12", "labelIds": ["INBOX"]}, True),
        ({"payload": {"parts": [{"body": {"size": 3, "data": "YWJj"}}]}}, True),
        ({"historyId": 12}, False),
        ({"historyId": "12.5"}, False),
        ({"labelIds": "INBOX"}, False),
        ({"payload": {"parts": [{"body": {"data": "not base64!"}}]}}, False),
        ({"sizeEstimate": 2**31}, False),
        ({"sizeEstimate": True}, False),
        ({"colour": "red"}, False),
        ([], False),
    ],
)
def test_bodies_are_held_to_the_document(body: Any, legal: bool) -> None:
    document = load_document("gmail", "v1")
    method = document.methods["gmail.users.messages.get"]
    assert (document.response_violations(method, body) == []) is legal

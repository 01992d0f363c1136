"""Calling one function as its caller would, and what is said where that cannot be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from flask import Flask, Response, request

from local.cloud.environment import CALLER, signing_key_file
from local.cloud.serving import running
from local.identity.keys import SigningKey
from local.one_function import replay, serve

ROOT = Path(__file__).parents[3]
BASE = "http://functions.example"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    SigningKey.load_or_create(signing_key_file(tmp_path))
    return tmp_path


@pytest.fixture
def received() -> list[tuple[dict[str, str], bytes]]:
    return []


@pytest.fixture
def function(received: list[tuple[dict[str, str], bytes]]) -> Iterator[str]:
    app = Flask("function")

    @app.post("/")
    def answer() -> Response:
        received.append((dict(request.headers), request.get_data()))
        return Response("no", 503) if request.get_data() == b"{}" else Response(status=204)

    with running(app) as url:
        yield url


def replayed(name: str, url: str, data: Path, content: str | None) -> int:
    fixture = data / "fixture.json"
    fixture.write_text(content or "")
    named = [str(fixture)] if content is not None else []
    return replay.main([name, *named, "--data", str(data), "--base-url", BASE, "--url", url])


def test_a_task_comes_signed_for_its_function(
    function: str, data: Path, received: list[tuple[dict[str, str], bytes]]
) -> None:
    assert replayed("mailbox_sync", function, data, '{"tenant": "acme"}') == 0
    [(headers, body)] = received
    claims = jwt.decode(headers["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})
    assert (claims["aud"], claims["email"]) == (f"{BASE}/mailbox_sync", CALLER)
    assert headers["X-Cloudtasks-Queuename"] == "mailbox-sync"
    assert json.loads(body) == {"tenant": "acme"}


def test_a_push_is_wrapped_as_pubsub_does(
    function: str, data: Path, received: list[tuple[dict[str, str], bytes]]
) -> None:
    assert replayed("gmail_push", function, data, '{"historyId": 7}') == 0
    wrapped = json.loads(received[0][1])["message"]
    assert base64.b64decode(wrapped["data"]) == b'{"historyId": 7}'


def test_a_job_needs_no_fixture(function: str, data: Path, received: list[tuple[dict[str, str], bytes]]) -> None:
    assert replayed("outbox_sweep", function, data, None) == 0
    at = datetime.fromisoformat(received[0][0]["X-Cloudscheduler-Scheduletime"])
    assert at.tzinfo == UTC


def test_an_answer_that_is_no_success_ends_with_1(function: str, data: Path) -> None:
    assert replayed("mailbox_sync", function, data, "{}") == 1


@pytest.mark.parametrize(("name", "words"), [("timeline_read", "called by people"), ("nobody", "no function 'nobody'")])
def test_what_cannot_be_replayed_is_said_in_a_sentence(
    data: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    assert replayed(name, "http://127.0.0.1:1", data, "{}") == 2
    assert words in capsys.readouterr().err


def test_a_function_that_does_not_listen_is_named_with_the_way_to_start_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replayed("mailbox_sync", "http://127.0.0.1:1", data, "{}") == 2
    assert "make serve f=mailbox_sync" in capsys.readouterr().err


def test_serving_needs_a_cloud_that_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "is_free", lambda _port: True)
    assert serve.main(["timeline_read", "--data", str(tmp_path)]) == 2
    assert "start it with make run" in capsys.readouterr().err


def test_serving_a_function_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["nobody"]) == 2
    assert "no function 'nobody'" in capsys.readouterr().err

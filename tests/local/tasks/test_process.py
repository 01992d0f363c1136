"""The real process: killed, stopped, started twice."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path

import jwt
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from local.identity.keys import SigningKey
from tests.local.tasks.conftest import Process
from tests.local.tasks.story import Worker, until

AUDIENCE = "http://functions.example/mailbox_sync"


def test_kill_9_loses_nothing_and_sends_again_what_was_in_flight(process: Process, worker: Worker) -> None:
    process.start()
    client = process.client
    client.create_queue(rate_limits={"max_concurrent_dispatches": 2})
    worker.hold.clear()
    wanted = {f"task-{number}" for number in range(20)}
    for task_id in wanted:
        client.create(worker.url, task_id)
    until(lambda: len(worker.calls) == 2)
    in_flight = set(client.queue_state()["in_flight"])

    process.end(signal.SIGKILL)
    lost_attempts = len(worker.calls)
    worker.hold.set()
    process.start()
    until(client.idle)

    after = worker.calls[lost_attempts:]
    assert sorted(call.headers["X-CloudTasks-TaskName"] for call in after) == sorted(wanted)
    again = {
        call.headers["X-CloudTasks-TaskName"] for call in after if call.headers["X-CloudTasks-TaskRetryCount"] == "1"
    }
    assert again == in_flight


def test_every_create_that_was_answered_before_kill_9_is_carried_out(process: Process, worker: Worker) -> None:
    process.start()
    process.client.create_queue()
    answered: list[str] = []

    def create_until_it_is_gone() -> None:
        with suppress(exceptions.GoogleAPICallError):
            for number in count():
                process.client.create(worker.url, f"task-{number}")
                answered.append(f"task-{number}")

    creator = threading.Thread(target=create_until_it_is_gone)
    creator.start()
    until(lambda: len(answered) >= 50)
    process.end(signal.SIGKILL)
    creator.join()
    process.start()
    until(process.client.idle)
    assert set(answered) <= {call.headers["X-CloudTasks-TaskName"] for call in worker.calls}


def test_a_used_name_is_refused_after_kill_9_too(process: Process, worker: Worker) -> None:
    process.start()
    process.client.create_queue()
    process.client.create(worker.url, "once")
    until(process.client.idle)
    process.end(signal.SIGKILL)
    process.start()
    with pytest.raises(exceptions.AlreadyExists):
        process.client.create(worker.url, "once")
    assert len(worker.calls) == 1


def test_tokens_are_signed_by_the_key_that_was_handed_in(process: Process, worker: Worker, tmp_path: Path) -> None:
    process.start("--key", str(tmp_path / "key.pem"))
    process.client.create_queue()
    process.client.create(
        worker.url, oidc_token=tasks_v2.OidcToken(service_account_email="a@demo.example", audience=AUDIENCE)
    )
    until(process.client.idle)
    token = worker.calls[0].headers["Authorization"].removeprefix("Bearer ")
    (key,) = jwt.PyJWKSet.from_dict(SigningKey.load_or_create(tmp_path / "key.pem").jwks()).keys
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE)
    assert claims["email"] == "a@demo.example"


def test_sigterm_ends_it_cleanly_even_while_a_worker_hangs(process: Process, worker: Worker) -> None:
    process.start()
    process.client.create_queue()
    worker.hold.clear()
    process.client.create(worker.url)
    until(lambda: len(worker.calls) == 1)
    assert process.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("face", ["gRPC", "admin"])
def test_a_taken_port_is_one_sentence_and_exit_code_2(face: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1] - (face == "admin")
        command = [sys.executable, "-m", "local.tasks", "--port", str(port), "--data", str(tmp_path)]
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("cannot serve on 127.0.0.1")
    assert refused.stderr.count("\n") == 1

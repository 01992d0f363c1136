"""What a task brings to its function, sent by our emulator; and what an outage of the queues looks like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from local.identity.keys import SigningKey
from shared import log
from shared.errors import ProviderUnavailableError
from shared.platform.clock import SystemClock
from shared.platform.cloud_tasks import CloudTasks
from shared.platform.identity import ServiceCaller, ServiceTokens
from shared.platform.key_set import KeySet
from shared.ports.tasks import Task
from tests.emulators import tasks_emulator

CALLER = "functions@crm.iam.example"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Functions:
    """A server in the place of the functions; keeps what it is sent."""

    url: str = ""
    received: Queue[Received] = field(default_factory=Queue)


@pytest.fixture
def functions() -> Iterator[Functions]:
    functions = Functions()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            functions.received.put(Received(self.path, dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    functions.url = f"http://127.0.0.1:{server.server_port}"
    yield functions
    server.shutdown()
    server.server_close()


def cloud_tasks(base_url: str, host: str) -> CloudTasks:
    return CloudTasks(
        project="crm",
        location="local-1",
        function_url=lambda function: f"{base_url}/{function}",
        service_account=CALLER,
        emulator_host=host,
    )


def make_queue(host: str, queue: str) -> None:
    import grpc
    from google.cloud import tasks_v2
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel(host)))
    parent = "projects/crm/locations/local-1"
    client.create_queue(parent=parent, queue=tasks_v2.Queue(name=f"{parent}/queues/{queue}"))


def test_a_task_arrives_as_json_with_a_proof_and_the_trace(functions: Functions, tmp_path: Path) -> None:
    with tasks_emulator(tmp_path, tmp_path / "key.pem") as host:
        make_queue(host, "mailbox-sync")
        with log.trace(TRACEPARENT):
            cloud_tasks(functions.url, host).create([Task("mailbox-sync", "mailbox_sync", "a1", {"mailbox": "m1"})])
        received = functions.received.get(timeout=10)

    assert received.path == "/mailbox_sync"
    assert json.loads(received.body) == {"mailbox": "m1"}
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["traceparent"] == TRACEPARENT
    assert received.headers["X-CloudTasks-TaskName"] == "a1"
    key = SigningKey.load_or_create(tmp_path / "key.pem")
    clock = SystemClock()
    keys = KeySet("https://keys.example", clock, lambda _: json.dumps(key.jwks()).encode())
    bearer = received.headers["Authorization"].removeprefix("Bearer ")
    verified = ServiceTokens(keys, frozenset({CALLER}), clock).verify(bearer, f"{functions.url}/mailbox_sync")
    assert verified == ServiceCaller(CALLER)


@pytest.mark.parametrize("number", [1, 20])
def test_queues_out_of_reach_are_an_outage(number: int) -> None:
    tasks = cloud_tasks("https://crm.example", "127.0.0.1:1")
    with pytest.raises(ProviderUnavailableError):
        tasks.create([Task("mailbox-sync", "f", f"n{index}", {}) for index in range(number)])

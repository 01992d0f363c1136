"""A worker on a free port, and an emulator around it: in this process, or one that can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.tasks.admin import make_admin
from local.tasks.dispatcher import Dispatcher
from local.tasks.engine import Engine
from local.tasks.grpc_face import GrpcFace, make_server
from local.tasks.store import SqliteStore
from tests.local.tasks.story import LOCATION, QUEUE, Worker, until

WORKERS = 8


class Client:
    """The official client, and the admin face beside it."""

    def __init__(self, grpc_port: int, admin_port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
        self.tasks = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=self._channel))
        self._admin_port = admin_port

    def create_queue(self, **settings: Any) -> tasks_v2.Queue:
        return self.tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE, **settings))

    def create(self, url: str, task_id: str = "", **request: Any) -> tasks_v2.Task:
        name = f"{QUEUE}/tasks/{task_id}" if task_id else ""
        return self.create_task(tasks_v2.Task(name=name, http_request=tasks_v2.HttpRequest(url=url, **request)))

    def create_task(self, task: tasks_v2.Task) -> tasks_v2.Task:
        return self.tasks.create_task(parent=QUEUE, task=task, retry=None)

    def state(self) -> dict[str, Any]:
        status, state = self._ask("GET", "/state")
        assert status == 200
        return state

    def queue_state(self) -> dict[str, Any]:
        return dict(self.state()["queues"][QUEUE])

    def idle(self) -> bool:
        return bool(self.queue_state()["depth"] == 0)

    def post(self, path: str) -> int:
        """Return the status."""
        return self._ask("POST", path)[0]

    def healthy(self) -> bool:
        try:
            return self._ask("GET", "/healthz") == (200, {"ok": True})
        except OSError:
            return False

    def _ask(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        with closing(HTTPConnection("127.0.0.1", self._admin_port, timeout=5)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, json.load(answer)

    def close(self) -> None:
        self._channel.close()


class Process:
    """`python -m local.tasks` as a child process, on two free neighbouring ports."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = _free_pair()
        self._child: subprocess.Popen[bytes] | None = None
        self.client = Client(self.port, self.port + 1)

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", "local.tasks", "--port", str(self.port), "--data", str(self._data), *options]
        self._child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.client.healthy, within_s=20)

    def end(self, with_signal: signal.Signals) -> int:
        assert self._child
        os.kill(self._child.pid, with_signal)
        code = self._child.wait(timeout=10)
        self._child = None
        return code

    def close(self) -> None:
        self.client.close()
        if self._child:
            self.end(signal.SIGKILL)


@pytest.fixture
def worker() -> Iterator[Worker]:
    with closing(Worker()) as running:
        yield running


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Client]:
    engine = Engine(SqliteStore(tmp_path / "tasks.sqlite3"))
    server, port = make_server(GrpcFace(engine), 0)
    admin = make_admin(engine, 0)
    dispatcher = Dispatcher(engine, lambda audience, email: f"token-for {audience} as {email}", workers=WORKERS)
    dispatcher.start()
    server.start()
    threading.Thread(target=admin.serve_forever, args=(0.02,), daemon=True).start()
    with closing(Client(port, admin.server_port)) as client:
        yield client
    admin.shutdown()
    admin.server_close()
    server.stop(None).wait()
    dispatcher.stop()
    engine.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    with closing(Process(tmp_path)) as each:
        yield each


def _free_pair() -> int:
    """Return a port that is free and whose successor is free."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port

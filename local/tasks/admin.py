"""What a test or a console may ask of the emulator itself, by HTTP beside the gRPC port.

GET /healthz: {"ok": true}

GET /state: {"now", "tombstone_s", "queues": {full name: {"state", "depth", "due", "in_flight", "next_at", "pace"}}}.
    depth: tasks kept. due: those that should run now, running ones included. in_flight: ids of the running ones.
    next_at: the earliest scheduled task, or null. pace: share of the configured rate, below 1 while throttled.

POST /advance?s=N: the clock jumps N seconds ahead, fractions too. Attempts whose deadline the jump passes are given up
    and tried again. Clients' clocks do not follow: a schedule time that is ahead for them may be past here.

POST /settings?tombstone_s=N: how long the name of an ended task stays refused, 0 to 86400.

POST /reset, POST /reset?queues=drop: forget tasks, tombstones and clock jumps; queues stay, unpaused, unless dropped.

A POST answers with the new state. Errors are {"error": "..."} with 400 or 404.
"""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.tasks.engine import Engine
from local.tasks.names import short
from local.tasks.values import InvalidArgumentError, QueueSnapshot


def make_admin(engine: Engine, port: int) -> ThreadingHTTPServer:
    """Return a server that listens on 127.0.0.1 but does not serve yet. Raises: OSError: the port is taken."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, engine))
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, engine: Engine, *connection: Any) -> None:
        self._engine = engine
        super().__init__(*connection)

    def do_GET(self) -> None:
        match urlsplit(self.path).path:
            case "/healthz":
                self._answer(HTTPStatus.OK, {"ok": True})
            case "/state":
                self._answer(HTTPStatus.OK, _state(self._engine))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "no such page"})

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            match url.path:
                case "/advance":
                    self._engine.advance(_number(query, "s"))
                case "/settings":
                    self._engine.set_tombstone(_number(query, "tombstone_s"))
                case "/reset":
                    self._engine.reset(keep_queues=query.get("queues") != "drop")
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, {"error": "no such page"})
                    return
        except InvalidArgumentError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, _state(self._engine))

    def log_message(self, *_: object) -> None:
        """Stay quiet: polling would drown everything else."""

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _number(query: dict[str, str], name: str) -> float:
    try:
        return float(query[name])
    except (KeyError, ValueError):
        raise InvalidArgumentError(f"?{name}= must be a number") from None


def _state(engine: Engine) -> dict[str, Any]:
    with engine.reading() as queues:
        return {
            "now": engine.clock().isoformat(),
            "tombstone_s": queues.tombstone_s,
            "queues": {queue.settings.name: _queue_state(queue) for queue in queues.queues()},
        }


def _queue_state(queue: QueueSnapshot) -> dict[str, Any]:
    return {
        "state": "PAUSED" if queue.paused else "RUNNING",
        "depth": queue.depth,
        "due": queue.due,
        "in_flight": [short(name) for name in queue.in_flight],
        "next_at": queue.next_at and queue.next_at.isoformat(),
        "pace": queue.pace,
    }

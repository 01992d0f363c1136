"""A server that answers what a test told it to, in order, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Reply:
    """One answer. hang_up, reset: end the connection without a word, politely or not. silent: say nothing, stay."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    reset: bool = False
    silent: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


def batch_of(*replies: Reply | None) -> Reply:
    """The answer to a batch, part by part; None for a part that is left unanswered."""
    parts = [
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <response-part-{number}>\r\n\r\n"
        f"HTTP/1.1 {reply.status} Whatever\r\nContent-Type: application/json\r\n\r\n{json.dumps(reply.body)}\r\n"
        for number, reply in enumerate(replies)
        if reply is not None
    ]
    return Reply(200, ("".join(parts) + "--b--\r\n").encode(), {"Content-Type": "multipart/mixed; boundary=b"})


class ScriptedServer:
    """Serves on a free port of 127.0.0.1. Paths in `always` answer the same for ever; the rest takes the next reply."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.always: dict[str, Reply] = {}
        self._replies: list[Reply] = []
        self._stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"script": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def replies(self, *replies: Reply) -> None:
        self._replies.extend(replies)

    def next_reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.path in self.always:
            return self.always[asked.path]
        return self._replies.pop(0) if self._replies else Reply(599, {"error": "nothing was scripted"})

    def wait_for_stop(self) -> None:
        self._stopping.wait()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or each answer waits 40 ms for an acknowledgement
    script: ScriptedServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.script.next_reply(Asked(self.command, url.path, parse_qs(url.query), headers, body))
        if reply.silent:
            self.script.wait_for_stop()
        if reply.silent or reply.hang_up or reply.reset:
            self._end_connection(reset=reply.reset)
            return
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the standard library asks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: the requests are in `asked`."""

    def _end_connection(self, *, reset: bool) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

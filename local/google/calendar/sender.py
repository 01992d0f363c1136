"""Posts channel messages from threads of its own, so that a slow receiver holds up nobody."""

from __future__ import annotations

import http.client
import queue
import threading
from urllib.parse import urlsplit

from local.google.calendar.channels import Message

_TIMEOUT_S = 10.0
_WORKERS = 4
_HEADERS = {
    "Content-Type": "application/json; UTF-8",
    "Content-Length": "0",
    "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
    "Accept": "*/*",
}


class HttpSender:
    """`send` returns at once; `answers` gives what came back since it was last asked."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Message, int | None]] = queue.SimpleQueue()
        self._tried: dict[Message, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def send(self, message: Message) -> None:
        if len(self._threads) < _WORKERS:
            self._threads.append(threading.Thread(target=self._work, daemon=True, name="calendar-channel"))
            self._threads[-1].start()
        self._tried[message] = threading.Event()
        self._waiting.put(message)

    def answers(self) -> list[tuple[Message, int | None]]:
        """Messages tried since the last call, with the receiver's status, None when no answer came."""
        found = []
        while not self._answers.empty():
            message, status = self._answers.get()
            self._tried.pop(message, None)
            found.append((message, status))
        return found

    def wait(self, message: Message, timeout_s: float) -> None:
        """Wait until `message` was tried once, no longer than `timeout_s`."""
        tried = self._tried.get(message)
        if tried is not None:
            tried.wait(timeout_s)

    def _work(self) -> None:
        while True:
            message = self._waiting.get()
            self._answers.put((message, post(message)))
            tried = self._tried.get(message)
            if tried is not None:
                tried.set()


def post(message: Message) -> int | None:
    """Post one message, body empty; return the status, None when the receiver cannot be reached or is too slow."""
    parts = urlsplit(message.address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, headers={**_HEADERS, **message.headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

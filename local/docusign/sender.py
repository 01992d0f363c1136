"""Posts notices from threads of its own, so that a slow receiver holds up nobody."""

from __future__ import annotations

import http.client
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.docusign.connect import Notice

TIMEOUT_S = 100.0
"""DocuSign's own patience."""

_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Post:
    """One attempt, with its bytes and headers."""

    notice: Notice
    content: bytes
    headers: Mapping[str, str]


class HttpSender:
    """`send` returns at once; `answers` gives what came back since it was last asked."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Post] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Notice, int | None]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def send(self, post: Post) -> None:
        if len(self._threads) < _WORKERS:
            self._threads.append(threading.Thread(target=self._work, daemon=True, name="docusign-connect"))
            self._threads[-1].start()
        self._waiting.put(post)

    def answers(self) -> list[tuple[Notice, int | None]]:
        """Notices tried since the last call, with the receiver's status, None when no answer came."""
        found = []
        while not self._answers.empty():
            found.append(self._answers.get())
        return found

    def _work(self) -> None:
        while True:
            post = self._waiting.get()
            self._answers.put((post.notice, status_of(post)))


def status_of(post: Post) -> int | None:
    """Post once; the receiver's status, None when it cannot be reached or is too slow."""
    parts = urlsplit(post.notice.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=post.content, headers=dict(post.headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

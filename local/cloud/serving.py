"""How a small server of the laptop cloud runs: loopback only, quiet, gone on SIGTERM."""

from __future__ import annotations

import json
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.cloud.ports import HOST, holder, is_free

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class PortTakenError(Exception):
    """Something else listens on the port; the message is one sentence for a person."""


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open between requests

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are not logged: what matters is logged by whoever serves them."""


@contextmanager
def running(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve `app` in threads while the block runs; yield its base URL.

    Args:
        port: 0 picks a free one.
    Raises:
        PortTakenError: another process listens there.
    """
    server = _bind(app, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://{HOST}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def serve_until_stopped(app: WSGIApplication, port: int) -> None:
    """Serve `app` until SIGTERM or SIGINT; a taken port prints its sentence and exits with code 2."""
    serve_together_until_stopped({port: app})


def serve_together_until_stopped(apps: Mapping[int, WSGIApplication]) -> None:
    """Serve several from one process, by their ports, which open in this order; else as `serve_until_stopped`."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with ExitStack() as servers:
            for port, app in apps.items():
                servers.enter_context(running(app, port))
            stopped.wait()
    except PortTakenError as taken:
        print(taken, file=sys.stderr)
        sys.exit(2)


def require_free(port: int) -> None:
    """Exit with code 2 and a sentence if `port` is taken; for servers that do much before they listen."""
    if not is_free(port):
        print(_taken(port), file=sys.stderr)
        sys.exit(2)


def _bind(app: WSGIApplication, port: int) -> BaseWSGIServer:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        # Bound here, because werkzeug answers a taken port with its own text and exit code 1.
        listener.bind((HOST, port))
    except OSError as taken:
        listener.close()
        raise PortTakenError(_taken(port)) from taken
    listener.listen(128)
    chosen = listener.getsockname()[1]
    server = make_server(HOST, chosen, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    listener.close()  # werkzeug works on a duplicate
    return server


def _taken(port: int) -> str:
    return f"port {port} is taken by {holder(port)}: stop it or choose another port"


def log_lines(name: str) -> logging.Logger:
    """Return a logger that writes one JSON object per line to standard error: time, severity, message, its fields."""
    logger = logging.getLogger(f"local.{name}")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_JsonLine())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = getattr(record, "fields", {})
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "severity": record.levelname, "message": record.getMessage(), **fields}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)

"""The server functions run in on the laptop: the functions-framework's own gunicorn, on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from functions_framework._http.gunicorn import GunicornApplication

from local.cloud.ports import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 40  # 20 pushes and 20 tasks at once

_server: Callable[..., Any] = GunicornApplication  # the framework has no type hints


def serve(app: WSGIApplication, port: int) -> None:
    """Serve `app` in one worker with threads, until SIGTERM."""
    settings = {
        "threads": THREADS,
        "timeout": 0,  # a slow request must not take its neighbours with it
        "graceful_timeout": 2,
        "keepalive": 75,  # callers pool their connections
        "control_socket_disable": True,
    }
    _server(app, HOST, port, debug=False, **settings).run()

"""Where each part of the laptop cloud listens, always on loopback, and whether a port can be had."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import psutil

HOST = "127.0.0.1"
PROJECT = "throughline-local"


@dataclass(frozen=True, slots=True)
class Ports:
    """One port per part; the defaults are what the documentation names."""

    firestore: int = 8201
    pubsub: int = 8202
    tasks: int = 8203  # gRPC; the admin face is always the next port
    google: int = 8205
    identity: int = 8206
    bridge: int = 8207
    scheduler: int = 8208
    functions: int = 8210
    docusign: int = 8211
    quickbooks: int = 8212
    netsuite: int = 8213

    @property
    def tasks_admin(self) -> int:
        return self.tasks + 1

    @classmethod
    def free(cls) -> Ports:
        """Return ports nobody holds at this moment, for tests and for a second cloud beside the first."""
        with ExitStack() as held:
            tasks = _free_pair(held)
            names = [name for name in asdict(cls()) if name != "tasks"]
            return cls(tasks=tasks, **{name: _hold(held, 0) for name in names})

    def by_name(self) -> Iterator[tuple[str, int]]:
        """Yield every port with the name of its part."""
        yield from asdict(self).items()
        yield "tasks_admin", self.tasks_admin


def is_free(port: int) -> bool:
    """Tell whether a server could listen on loopback at `port`; a socket in TIME_WAIT does not count."""
    with ExitStack() as held:
        try:
            _hold(held, port, over_time_wait=True)
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Return who listens at `port`, as "pid 4711 (java -cp ...)", or "another process" if we may not know."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        here = connection.laddr
        if here and here.port == port and connection.status == psutil.CONN_LISTEN and connection.pid:
            return f"pid {connection.pid} ({_command(connection.pid)})"
    return "another process"


def _command(pid: int) -> str:
    try:
        line = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return "command unknown"
    return line if len(line) <= 120 else f"{line[:117]}..."


def _free_pair(held: ExitStack) -> int:
    while True:
        first = _hold(held, 0)
        try:
            _hold(held, first + 1)
        except (OSError, OverflowError):
            continue
        return first


def _hold(held: ExitStack, port: int, *, over_time_wait: bool = False) -> int:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, over_time_wait)
    listener.bind((HOST, port))
    return int(listener.getsockname()[1])

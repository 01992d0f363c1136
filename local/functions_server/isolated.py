"""One process per function, each started from its bundle by the framework's own command, as in the cloud.

A bundle that forgets a file fails here, where the one-process server would find it in the project. The front keeps
FUNCTIONS_BASE_URL/<name> true for callers; DIR/function_ports.json names each process's own port.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from werkzeug.datastructures import EnvironHeaders
from werkzeug.wrappers import Response

from infra.bundles.bundle import Bundler
from infra.bundles.lock import LockError
from local.cloud.ports import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PORTS_FILE = "function_ports.json"
_READY_WITHIN_S = 110.0
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"})


class NotStartedError(Exception):
    """A function's process ended or stayed silent; the message is one sentence for a person."""


def start(root: Path, names: Iterable[str], data: Path) -> tuple[dict[str, int], list[subprocess.Popen[bytes]]]:
    """Build all bundles under `data`/bundles and start their processes; return ports by function, and processes.

    The processes belong to the caller's process group, so that they end with it.

    Raises:
        NotStartedError: a function needs what neither the project nor its lock has.
    """
    bundles = _bundles(root, names, data / "bundles")
    ports = dict(zip(bundles, free_ports(len(bundles)), strict=True))
    processes = [_start_one(bundle, name, ports[name]) for name, bundle in bundles.items()]
    (data / PORTS_FILE).write_text(json.dumps(ports, indent=1))
    return ports, processes


def _bundles(root: Path, names: Iterable[str], into: Path) -> dict[str, Path]:
    bundler = Bundler(root)
    bundles = {name: into / name for name in names}
    for name, folder in bundles.items():
        try:
            bundler.bundle(name).write_to(folder)
        except LockError as lacking:
            raise NotStartedError(f"function {name} cannot be bundled: {lacking}") from lacking
    return bundles


def wait_until_listening(ports: Mapping[str, int], processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Return once every function accepts connections.

    Raises:
        NotStartedError: naming the first one that ended, or is not there within two minutes.
    """
    deadline = time.monotonic() + _READY_WITHIN_S
    for (name, port), process in zip(ports.items(), processes, strict=True):
        while not _listens(port):
            if process.poll() is not None:
                raise NotStartedError(f"function {name} ended with code {process.returncode} before it listened")
            if time.monotonic() > deadline:
                raise NotStartedError(f"function {name} does not listen on port {port}")
            time.sleep(0.05)


class Front:
    """Hands /<name>/rest to the process of the function `name`, unchanged but for the path, which loses the name."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports
        self._http = urllib3.PoolManager(num_pools=len(ports) + 1, maxsize=40, retries=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _, _, path = environ.get("PATH_INFO", "").partition("/")
        name, _, rest = path.partition("/")
        if name == "healthz":
            return Response("ok")(environ, start_response)
        if name not in self._ports:
            return Response(f"no function named '{name}'\n", status=404)(environ, start_response)
        return self._forward(self._ports[name], rest, environ)(environ, start_response)

    def _forward(self, port: int, rest: str, environ: WSGIEnvironment) -> Response:
        query = environ.get("QUERY_STRING", "")
        url = f"http://{HOST}:{port}/{rest.encode('latin-1').decode()}" + (f"?{query}" if query else "")
        headers = {name: value for name, value in EnvironHeaders(environ) if name.lower() not in _HOP_BY_HOP}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        try:
            answer = self._http.request(
                environ["REQUEST_METHOD"],
                url,
                body=body,
                headers={**headers, "Host": environ.get("HTTP_HOST", HOST)},
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError:
            return Response("the function's process does not answer\n", status=502)
        kept = [(key, value) for key, value in answer.headers.iteritems() if key.lower() not in _HOP_BY_HOP]
        return Response(answer.data, status=answer.status, headers=kept)


def _start_one(bundle: Path, name: str, port: int) -> subprocess.Popen[bytes]:
    command = Path(sys.executable).with_name("functions-framework")
    # PYTHONPATH would make the project importable and hide a bundle that lacks something.
    environment: dict[str, Any] = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"XDG_RUNTIME_DIR": str(bundle)}  # where gunicorn puts its control socket
    arguments = [f"--target={name}", "--source=main.py", f"--host={HOST}", f"--port={port}"]
    return subprocess.Popen([str(command), *arguments], cwd=bundle, env=environment)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different: held together, since one that was let go may be given out again."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0

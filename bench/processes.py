"""One function, started as in the cloud: its own bundle, bytecode included, under the framework's own command."""

from __future__ import annotations

import compileall
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bench.trivial_request import TrivialRequest
from local.cloud.ports import HOST
from local.functions_server.bundle import build_bundle

ANSWERS_WITHIN_S = 60.0
FRAMEWORK = Path(sys.executable).with_name("functions-framework")


def compiled_bundle(root: Path, name: str, into: Path) -> Path:
    """The bundle as the buildpack leaves it: every module compiled."""
    bundle = build_bundle(root, name, into)
    compileall.compile_dir(bundle, quiet=2)
    return bundle


def first_answer_s(folder: Path, target: str, request: TrivialRequest, environment: Mapping[str, str]) -> float:
    """Seconds from process start to the whole first answer.

    Raises:
        RuntimeError: the process ended, or the answer was a 5xx: nothing was measured then.
    """
    port = _free_port()
    command = [str(FRAMEWORK), f"--target={target}", "--source=main.py", f"--host={HOST}", f"--port={port}"]
    given = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
    given |= {**environment, "PYTHONWARNINGS": "ignore", "XDG_RUNTIME_DIR": str(folder)}
    nowhere = subprocess.DEVNULL
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=given, stdout=nowhere, stderr=nowhere, start_new_session=True)
    try:
        status = _answer(process, port, request)
        took_s = time.perf_counter() - began
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if status >= 500:
        raise RuntimeError(f"{target} answered its first request with {status}")
    return took_s


def _answer(process: subprocess.Popen[bytes], port: int, request: TrivialRequest) -> int:
    give_up_at = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < give_up_at:
        connection = http.client.HTTPConnection(HOST, port, timeout=ANSWERS_WITHIN_S)
        try:
            connection.request(request.method, request.path, body=request.body, headers=request.headers)
            answer = connection.getresponse()
            answer.read()
        except ConnectionRefusedError:
            if process.poll() is not None:
                raise RuntimeError(f"the process ended with code {process.returncode} before it listened") from None
            time.sleep(0.002)
        else:
            return answer.status
        finally:
            connection.close()
    raise TimeoutError(f"no answer within {ANSWERS_WITHIN_S:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

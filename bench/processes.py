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
from dataclasses import dataclass
from pathlib import Path

from bench.trivial_request import TrivialRequest
from infra.bundles.bundle import Bundler
from local.cloud.ports import HOST

ANSWERS_WITHIN_S = 60.0
FRAMEWORK = Path(sys.executable).with_name("functions-framework")


def compiled_bundle(bundler: Bundler, name: str, into: Path) -> Path:
    """The bundle as the buildpack leaves it: every module compiled."""
    bundle = into / name
    bundler.bundle(name).write_to(bundle)
    compileall.compile_dir(bundle, quiet=2)
    return bundle


@dataclass(frozen=True, slots=True)
class Start:
    """took_s: process start to the whole first answer. processor_s: what the process computed meanwhile, which other
    work on the machine hardly changes."""

    took_s: float
    processor_s: float


def first_answer_s(
    folder: Path,
    target: str,
    request: TrivialRequest,
    environment: Mapping[str, str],
    framework: Path = FRAMEWORK,
) -> float:
    """Seconds from process start to the whole first answer. Arguments and errors: as `first_answer`."""
    return first_answer(folder, target, request, environment, framework).took_s


def first_answer(
    folder: Path,
    target: str,
    request: TrivialRequest,
    environment: Mapping[str, str],
    framework: Path = FRAMEWORK,
) -> Start:
    """Start a function as the buildpack does, ask it once, and end it.

    Args:
        framework: the console script of the environment to start it in.
    Raises:
        RuntimeError: the process ended, or the answer was a 5xx: nothing was measured then.
    """
    port = _free_port()
    command = [str(framework), f"--target={target}", "--source=main.py", f"--host={HOST}", f"--port={port}"]
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
        _, ended, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
    if status >= 500:
        raise RuntimeError(f"{target} answered its first request with {status}")
    return Start(took_s, usage.ru_utime + usage.ru_stime)


def _answer(process: subprocess.Popen[bytes], port: int, request: TrivialRequest) -> int:
    give_up_at = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < give_up_at:
        connection = http.client.HTTPConnection(HOST, port, timeout=ANSWERS_WITHIN_S)
        try:
            connection.request(request.method, request.path, body=request.body, headers=request.headers)
            answer = connection.getresponse()
            answer.read()
        except ConnectionRefusedError:
            # seen and not taken: who started it asks afterwards what it used
            ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                raise RuntimeError(f"the process ended with code {ended.si_status} before it listened") from None
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

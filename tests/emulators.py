"""Google's own emulators for tests, started on a free port and gone afterwards."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_LIMIT_S = 30.0
_SDK_FOLDERS = (Path("/usr/lib/google-cloud-sdk"), Path.home() / "google-cloud-sdk")
_FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def firestore_emulator() -> Iterator[str]:
    """The emulator's "host:port": the one FIRESTORE_EMULATOR_HOST names, else one of our own while the block runs."""
    if given := os.environ.get("FIRESTORE_EMULATOR_HOST"):
        yield given
        return
    # This jar names no main class of its own.
    with _java_server(["-cp", _emulator_jar("cloud-firestore-emulator", "*.jar"), _FIRESTORE_MAIN]) as host:
        yield host


@contextmanager
def pubsub_emulator() -> Iterator[str]:
    """The emulator's "host:port": the one PUBSUB_EMULATOR_HOST names, else one of our own while the block runs."""
    if given := os.environ.get("PUBSUB_EMULATOR_HOST"):
        yield given
        return
    with _java_server(["-jar", _emulator_jar("pubsub-emulator", "lib/*-all.jar")]) as host:
        yield host


@contextmanager
def tasks_emulator(data: Path, key: Path) -> Iterator[str]:
    """Our Cloud Tasks emulator's "host:port" while the block runs. key: the PEM file that signs its tokens."""
    port = _free_pair()
    command = [sys.executable, "-m", "local.tasks", "--port", str(port), "--data", str(data), "--key", str(key)]
    with running(command, f"127.0.0.1:{port + 1}"):
        yield f"127.0.0.1:{port}"


@contextmanager
def _java_server(program: list[str]) -> Iterator[str]:
    port = free_port()
    flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-Duser.language=en"]
    with running(["java", *flags, *program, "--host=127.0.0.1", f"--port={port}"], f"127.0.0.1:{port}"):
        yield f"127.0.0.1:{port}"


def _emulator_jar(emulator: str, pattern: str) -> str:
    for folder in _SDK_FOLDERS:
        for jar in sorted((folder / "platform" / emulator).glob(pattern)):
            return str(jar)
    raise FileNotFoundError(f"the Google Cloud CLI has no {emulator}: gcloud components install {emulator}")


def _free_pair() -> int:
    """The lower of two neighbouring free ports."""
    while True:
        port = free_port()
        with socket.socket() as probe, suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", port + 1))
            return port


@contextmanager
def running(command: list[str], host: str) -> Iterator[None]:
    """Run a server in a process group of its own until the block ends, however it ends.

    host: "name:port" where it answers HTTP once it is ready.
    """
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_until_ready(server, host)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], host: str) -> None:
    give_up_at = time.monotonic() + START_LIMIT_S
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            raise RuntimeError(f"the server for {host} ended with {server.returncode}")
        connection = http.client.HTTPConnection(host, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError(f"nothing answered on {host} within {START_LIMIT_S} s")

"""Small servers of the laptop cloud start with a sentence or not at all, and go when asked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import urllib3

from local.cloud.ports import Ports

HERE = Path(__file__).resolve().parents[3]
WITHIN_S = 20.0


def identity(port: int, data: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.identity", f"--port={port}", f"--data={data}"]
    return subprocess.Popen(command, cwd=HERE, stderr=subprocess.PIPE, text=True)


def test_taken_port_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        server = identity(port, tmp_path)
        _, said = server.communicate(timeout=WITHIN_S)

    assert server.returncode == 2
    assert said.startswith(f"port {port} is taken by pid {os.getpid()} (")
    assert said.count("\n") == 1


def test_server_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    port = Ports.free().identity
    server = identity(port, tmp_path)
    always = urllib3.Retry(200, backoff_factor=0.1, backoff_max=0.1)
    assert urllib3.request("GET", f"http://127.0.0.1:{port}/healthz", retries=always).status == 200

    server.send_signal(signal.SIGTERM)

    _, said = server.communicate(timeout=WITHIN_S)
    assert (server.returncode, said) == (0, "")

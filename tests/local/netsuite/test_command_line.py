"""`python -m local.netsuite`: served, stopped, and refused with a sentence."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from shared.errors import ProviderUnavailableError
from shared.providers.wire import Wire

ROOT = Path(__file__).parents[3]
SECONDS = 30


def start(port: int, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.netsuite", "--port", str(port), "--data", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def page(port: int) -> str:
    """The page at /, once there is one."""
    pause = threading.Event()
    for _ in range(SECONDS * 20):
        try:
            return Wire().send("GET", f"http://127.0.0.1:{port}/", call="page").body.decode()
        except ProviderUnavailableError:
            pause.wait(0.05)
    raise AssertionError("nobody listens")


def test_it_serves_until_it_is_told_to_stop_and_keeps_its_port(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(port, tmp_path)
    try:
        assert "NetSuite 9876543_SB1, simulated" in page(port)
        second = start(port, tmp_path / "other")
        _, sentence = second.communicate(timeout=SECONDS)
        assert second.returncode == 2
        assert f"port {port} is taken" in sentence
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_a_folder_that_holds_something_else_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "books.json").write_text('{"books": 1}')
    process = start(0, tmp_path)
    _, sentence = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "cannot start" in sentence
    assert "Traceback" not in sentence

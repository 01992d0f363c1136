"""What holds for all tests: the core's tests open no socket, and nobody's test leaves this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

HERE = Path(__file__).parent
WITHOUT_SOCKETS = ("domain", "usecases", "invariants", "records")
"""Folders whose tests run over fakes alone."""


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> None:
    folder = request.path.relative_to(HERE).parts[0]
    if folder in WITHOUT_SOCKETS or request.path.parent == HERE:
        disable_socket(allow_unix_socket=True)
    else:
        enable_socket()
        socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)

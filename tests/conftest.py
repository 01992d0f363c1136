"""What holds for all tests: the core's tests open no socket, and nobody's test leaves this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from tests.fakes import FakeTasks

HERE = Path(__file__).parent
WITHOUT_SOCKETS = ("domain", "usecases", "invariants", "isolation", "records")
"""Folders whose tests run over fakes alone."""

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")  # seconds are measured in bench/ and never asserted: machines are shared


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tombstone",
        type=float,
        default=FakeTasks.usual_tombstone_s,
        metavar="SECONDS",
        help="how long the fake queues keep the name of a done task",
    )


def pytest_configure(config: pytest.Config) -> None:
    FakeTasks.usual_tombstone_s = config.getoption("--tombstone")


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> None:
    folder = request.path.relative_to(HERE).parts[0]
    if folder in WITHOUT_SOCKETS or request.path.parent == HERE:
        disable_socket(allow_unix_socket=True)
    else:
        enable_socket()
        socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)

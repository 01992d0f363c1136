"""NetSuite, simulated and served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.serving import running
from local.netsuite.app import create_app
from local.netsuite.simulator import Settings, Simulator
from shared.providers.netsuite.ledger import NetsuiteLedger
from tests.fakes import FakeClock
from tests.providers.netsuite.world import START, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh company with two subsidiaries; its clock is the test's."""
    clock = FakeClock(START)
    simulator = Simulator(Settings(folder=tmp_path), base=clock.now)
    with running(create_app(simulator)) as url:
        yield World(simulator, url, clock)


@pytest.fixture
def ledger(world: World) -> NetsuiteLedger:
    """Connected by certificate, with the permissions that the set-up page asks for."""
    return world.ledger()

"""NetSuite, served; a caller that signs nothing away to the adapter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.serving import running
from local.netsuite.app import create_app
from local.netsuite.simulator import Settings, Simulator
from tests.fakes import FakeClock
from tests.local.netsuite.caller import START, Caller


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    """An administrator's calls to a fresh company."""
    clock = FakeClock(START)
    simulator = Simulator(Settings(folder=tmp_path), base=clock.now)
    with running(create_app(simulator)) as url:
        yield Caller(simulator, url, clock)

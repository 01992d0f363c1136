"""One simulated QuickBooks for each test, in this process, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cloud.serving import running
from local.quickbooks.app import create_app
from local.quickbooks.simulator import Simulator
from tests.providers.quickbooks.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A company in the United States with automated sales tax of 8 %."""
    simulator = Simulator()
    with running(create_app(simulator)) as url:
        yield World(simulator, url)


@pytest.fixture
def british() -> Iterator[World]:
    """A company in Great Britain: pounds, and a numbered tax code on every line."""
    simulator = Simulator()
    with running(create_app(simulator)) as url:
        yield World(simulator, url, {"country": "GB", "currency": "GBP"})

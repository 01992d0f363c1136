"""A fresh world for every story."""

import pytest

from tests.usecases.calendar.world import World


@pytest.fixture
def world() -> World:
    return World()

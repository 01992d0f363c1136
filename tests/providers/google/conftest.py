"""Servers that play Google."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.google.scripted import ScriptedServer


@pytest.fixture
def google() -> Iterator[ScriptedServer]:
    """A server that says what the test scripts."""
    server = ScriptedServer()
    yield server
    server.stop()

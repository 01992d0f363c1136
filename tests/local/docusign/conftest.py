"""One running DocuSign for all tests of the folder, with a fresh company in each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.docusign.world import World, running_world


@pytest.fixture(scope="session")
def running_docusign() -> Iterator[World]:
    with running_world() as world:
        yield world


@pytest.fixture
def world(running_docusign: World) -> World:
    running_docusign.begin()
    return running_docusign

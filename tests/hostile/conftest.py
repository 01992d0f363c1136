"""A short run by default, the same every time; `--hypothesis-profile=long` tries a hundred times as much, at random."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.hostile.cloud import Cloud, build_cloud
from tests.hostile.examples import LONG

settings.register_profile("long", max_examples=LONG, deadline=None)


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One company for all of them: whoever changes it puts it back."""
    patches = pytest.MonkeyPatch()
    yield build_cloud(patches, tmp_path_factory.mktemp("hostile"))
    patches.undo()

"""Other people's packages: each listed with its licence, and none under one we may not ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundles.licences import ALLOWED, FILE, licences, listing
from infra.bundles.lock import read_lock

LOCK = read_lock(Path(__file__).parents[2] / "requirements.txt")


def test_the_list_is_of_today() -> None:
    assert FILE.read_text() == listing(), "write it anew: .venv/bin/python -m infra.bundles.licences"


@pytest.mark.parametrize("name", LOCK)
def test_we_may_ship_the_package(name: str) -> None:
    assert ALLOWED.intersection(licences(name)), f"{name} is under {licences(name) or 'no licence it tells'}"


def test_a_licence_that_binds_us_would_be_seen() -> None:
    assert not ALLOWED.intersection({"GPL-3.0-only", "AGPL-3.0-only", "SSPL-1.0"})

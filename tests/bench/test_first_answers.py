"""Every function loads for its first real answer what its budget allows, and no more."""

from __future__ import annotations

import pytest

from bench.cloud import ROOT, running_cloud
from bench.import_budget import read_budget
from bench.import_probe import Loaded, probed
from bench.trivial_requests import prepare, request_for
from local.cloud.manifests import load_manifests

pytestmark = pytest.mark.emulator

BUDGET = read_budget()
MANIFESTS = load_manifests(ROOT / "functions")


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """Each function asked once for something small in the running laptop cloud."""
    with running_cloud() as cloud:
        prepare(cloud)
        requests = {manifest.name: request_for(manifest, cloud) for manifest in MANIFESTS}
        return probed(BUDGET.heavy, requests, cloud.supervisor.environment)


@pytest.mark.parametrize("name", [manifest.name for manifest in MANIFESTS])
def test_first_answer_loads_what_the_budget_allows(name: str, loaded: Loaded) -> None:
    assert loaded[name]["problems"] == [], "see bench/trivial_requests.py: it must be answered for this to say anything"
    assert set(loaded[name]["answer"]) <= set(BUDGET.allowed(name))


def test_what_the_store_brings_is_seen(loaded: Loaded) -> None:
    """Or the test above could not fail."""
    assert "google.cloud.firestore" in loaded["gmail_push"]["answer"]

"""One copy of the tree and one plan of each kind, for all tests of a worker."""

from __future__ import annotations

import pytest

from local.cloud.manifests import Manifest, load_manifests
from tests.infra.terraform.planning import Plan, Tree, few_functions
from tests.infra.terraform.tools import ROOT

ADMIN = "admin@acme.example"


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def plan(tree: Tree) -> Plan:
    """Production, with every id made up beforehand."""
    variables = {"billing_account": "000000-000000-000000", "alert_emails": f'["{ADMIN}"]'}
    return tree.plan("production", variables, known_ids=True)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The same tree with a few functions, for what terraform refuses whatever they are."""
    return Tree(tmp_path_factory.mktemp("small"), few_functions(tmp_path_factory.mktemp("few")))


@pytest.fixture(scope="session")
def manifests() -> dict[str, Manifest]:
    return {manifest.name: manifest for manifest in load_manifests(ROOT / "functions")}

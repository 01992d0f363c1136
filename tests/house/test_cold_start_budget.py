"""No function loads what its first answer does not need: bench/import_budget.yaml is the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.import_budget import DEFAULT, read_budget
from bench.import_probe import Loaded, probed

FUNCTIONS = sorted(path.parent.name for path in (Path(__file__).parents[2] / "functions").glob("*/main.py"))
BUDGET = read_budget()


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """Each function imported in a process that knows no other, and asked once by somebody without proof."""
    return probed([*BUDGET.heavy, "flask"])


def test_the_budget_names_functions_that_exist() -> None:
    assert set(BUDGET.first_answer) - {DEFAULT} <= set(FUNCTIONS)


def test_the_budget_allows_only_modules_it_watches() -> None:
    assert {module for allowed in BUDGET.first_answer.values() for module in allowed} <= set(BUDGET.heavy)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_function_loads_the_framework_and_nothing_heavy(name: str, loaded: Loaded) -> None:
    assert loaded[name]["import"] == ["flask"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_caller_without_proof_makes_it_load_nothing_heavy(name: str, loaded: Loaded) -> None:
    assert loaded[name]["problems"] == []
    assert loaded[name]["refusal"] == []

"""The mutation tool notices what tests notice, changes what it says, and touches no file."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import Mutant, mutants

SOURCE = '''
LIMIT = 3

def allowed(count: int, *, strict: bool = False) -> bool:
    """Whether so many are allowed."""
    log.event("asked")
    if strict and not count:
        raise ValueError("none")
    return min(count, LIMIT) <= LIMIT - 1
'''


@pytest.fixture(scope="module")
def found() -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants(SOURCE)}


def test_every_kind_of_mistake_is_made(found: dict[str, Mutant]) -> None:
    assert set(found) == {
        "module: 3 -> 4",
        "allowed: False -> True",
        "allowed: if strict and (not count): -> if not (strict and (not count)):",
        "allowed: strict and (not count) -> strict or not count",
        "allowed: not count -> count",
        "allowed: raise ValueError('none') -> pass",
        "allowed: return min(count, LIMIT) <= LIMIT - 1 -> return None",
        "allowed: min(count, LIMIT) <= LIMIT - 1 -> min(count, LIMIT) < LIMIT - 1",
        "allowed: min(count, LIMIT) <= LIMIT - 1 -> min(count, LIMIT) > LIMIT - 1",
        "allowed: min(count, LIMIT) -> max(count, LIMIT)",
        "allowed: LIMIT - 1 -> LIMIT + 1",
        "allowed: 1 -> 2",
    }


def test_a_mutant_differs_from_its_module_in_that_one_place(found: dict[str, Mutant]) -> None:
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in found.values():
        changed = ast.unparse(mutant.tree).splitlines()
        assert len([1 for old, new in zip(original, changed, strict=True) if old != new]) == 1

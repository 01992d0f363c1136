"""docs/reliability.md names every invariant, and no test, flow, module or part that does not exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.test_crash_flows import all_flows
from tests.torture.parts import PARTS
from tests.torture.run import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
INVARIANTS = re.findall(r"^\| (I\d+) \|", (ROOT / "docs" / "invariants.md").read_text(), re.MULTILINE)
SECTIONS = dict(re.findall(r"^### (I\d+) .+?\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
BUILT = {name: text for name, text in SECTIONS.items() if not text.startswith("Not applicable yet:")}


@cache
def known_tests() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def words(text: str, pattern: str) -> list[str]:
    """What stands between two marks, wherever the line ends."""
    return re.findall(pattern, " ".join(text.split()))


def test_all_thirty_two_are_told_and_those_that_are_kept_are_those_of_the_list() -> None:
    assert list(SECTIONS) == [f"I{number}" for number in range(1, 33)]
    assert list(BUILT) == INVARIANTS


@pytest.mark.parametrize("name", BUILT)
def test_an_invariant_has_a_mechanism_tests_and_what_was_tried(name: str) -> None:
    kept, _, rest = BUILT[name].partition("Replayed by:")
    replayed, _, tried = rest.partition("Tried:")

    modules = words(kept, r"`([\w/]+\.(?:py|rules))`")
    assert kept.startswith("Kept by:")
    assert modules
    assert [path for path in modules if not (ROOT / path).exists()] == []
    named = words(replayed, r"`(test_\w+)`")
    assert named
    assert set(named) - known_tests() == set()
    assert tried.strip()


def test_every_test_called_after_an_invariant_stands_in_its_section() -> None:
    missing = {
        test
        for test in known_tests()
        if (number := re.match(r"test_i(\d+)_", test)) and f"`{test}`" not in SECTIONS[f"I{int(number[1])}"]
    }
    assert missing - BESIDE == set()


BESIDE = {"test_i27_the_same_reads_find_something_at_home"}
"""Tests of the tests."""


def test_flows_that_are_named_exist() -> None:
    flows = {found.flow.name for found in all_flows()}

    assert set(words("\n".join(SECTIONS.values()), r"(?<!\*)\*([^*]+)\*(?!\*)")) - flows == set()


def test_the_table_has_a_row_for_every_part() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", PAGE, re.MULTILINE)
    named = [key for row in rows for key in re.findall(r"`([a-z-]+)`", row)]

    assert sorted(named) == sorted(part.key for part in PARTS)

"""Log lines: no id may take the place of one of Cloud Logging's own fields, where it would be overwritten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIELDS_OF_THE_LINE = {"message", "time", "stack_trace"}


def test_no_id_of_a_log_line_bears_the_name_of_one_of_its_fields() -> None:
    calls = list(_log_calls())
    assert len(calls) > 20
    clashes = [f"{place}: {key}" for place, keys in calls for key in keys & FIELDS_OF_THE_LINE]
    assert not clashes


def _log_calls() -> Iterator[tuple[str, set[str | None]]]:
    """Every `log.event(...)`, `log.exception(...)` and `….log(...)` of the product, and the keywords it is given."""
    for folder in ("shared", "functions"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call) and _logs(node.func):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", {keyword.arg for keyword in node.keywords}


def _logs(called: ast.expr) -> bool:
    if not isinstance(called, ast.Attribute):
        return False
    through_module = isinstance(called.value, ast.Name) and called.value.id == "log"
    return called.attr == "log" or (through_module and called.attr in ("event", "exception"))

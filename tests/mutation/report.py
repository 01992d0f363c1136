"""The mutants that no test noticed, for the terminal and for docs/mutation.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.mutation.explained import EXPLAINED
from tests.mutation.session import Result

PAGE = Path("docs/mutation.md")
HEAD = """# Mutation

`python -m tests.mutation PART` makes small wrong versions of the modules where a mistake costs most and lets the tests
that execute the changed line run against each: a comparison moved by its boundary or turned round, `and` for `or`, a
condition turned round, a number or truth changed, `+` for `-`, a statement left out, an answer of `None`, arguments
exchanged. A version that no test notices survives; each survivor is explained below, or is a test that is missing.
Texts, annotations, log lines and defaults of fields are left alone. The command writes this page.
"""


def summary(results: Sequence[Result]) -> str:
    """A line for each module, and its unexplained survivors."""
    lines = []
    for result in results:
        lines.append(
            f"{result.module}: {result.tried} tried, {result.tried - len(result.survivors)} killed, "
            f"{len(result.explained)} explained, {len(result.unexplained)} unexplained, {result.left} left"
        )
        lines += [f"  line {mutant.line}: {mutant.name}" for mutant in result.unexplained]
    tried, survived = sum(one.tried for one in results), sum(len(one.survivors) for one in results)
    return "\n".join([*lines, f"{tried} mutants, {tried - survived} killed, {survived} survived"])


def write_page(part: str, results: Sequence[Result]) -> None:
    """Put one part's results in their place in docs/mutation.md; the others stay."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    before, begun, rest = text.partition(f"\n## Part: {part}\n")
    _, next_part, after = rest.partition("\n## Part: ")
    if not begun:
        before = text
    PAGE.write_text(before + _section(part, results) + next_part + after, encoding="utf-8")


def _section(part: str, results: Sequence[Result]) -> str:
    rows = ["", f"## Part: {part}", "", "| module | mutants | killed | survivors |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{one.module}` | {one.tried} | {one.tried - len(one.survivors)} | {len(one.survivors)} |" for one in results
    ]
    tried, survived = sum(one.tried for one in results), sum(len(one.survivors) for one in results)
    left = sum(one.left for one in results)
    rows.append(f"| all | {tried} | {tried - survived} | {survived} |")
    rows += ["", f"{left} more were not tried, for want of time."] if left else []
    return "\n".join([*rows, *(text for result in results for text in _told(result))]) + "\n"


def _told(result: Result) -> list[str]:
    if not result.survivors:
        return []
    reasons = EXPLAINED.get(result.module, {})
    lines = [
        f"- `{mutant.where}`: `{mutant.was}` became `{mutant.became}`: {reasons.get(mutant.name, 'a test is missing.')}"
        for mutant in result.survivors
    ]
    return ["", f"### {result.module}", "", *lines]

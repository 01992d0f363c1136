"""The chain of a deal as one table: what, when, by what cause, and its id at the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.padding import Padding

from local.run.tables import indented, plain_table

DITTO = '"'
"""What is as in the line above."""


def chain_table(steps: Sequence[Mapping[str, Any]]) -> Padding:
    """steps: as `chain_read` answers them, oldest first."""
    table = plain_table("UTC", "step", "cause", "id at the other side")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    above: Mapping[str, Any] = {}
    for step in steps:
        ids = (DITTO if step[name] and step[name] == above.get(name) else step[name] for name in ("cause", "other_id"))
        table.add_row(step["at"][11:19], step["step"], *ids)
        above = step
    return indented(table)

"""The one table: rich on a terminal, plain lines anywhere else; and the same as JSON, for pages and programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.torture.run import ROOT, Outcome

PLAIN_WIDTH = 120


def console() -> Console:
    found = Console(highlight=False)
    return found if found.is_terminal else Console(width=PLAIN_WIDTH, highlight=False)


def print_table(to: Console, outcomes: Sequence[Outcome]) -> None:
    """A row for each proof, and below it a sentence for each that failed."""
    table = Table(title="Under fire", title_justify="left", title_style="bold")
    table.add_column("what", overflow="fold", ratio=1)
    table.add_column("tried", justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("details", overflow="fold")
    for outcome in outcomes:
        note = f"  [dim]{outcome.count.note}[/dim]" if outcome.count and outcome.count.note else ""
        table.add_row(
            f"{outcome.part.what}{note}",
            f"{outcome.count.tried:,} {outcome.part.unit}" if outcome.count else "nothing",
            f"[bold red]{_failed(outcome)}[/bold red]" if outcome.failed else "[green]0[/green]",
            f"{outcome.took_s:,.0f}",
            "\n".join(_from_root(path) for path in outcome.details),
        )
    to.print(table)
    for outcome in outcomes:
        for sentence in outcome.wrong:
            to.print(f"[red]{outcome.part.key}[/red]: {sentence}")


def as_json(outcome: Outcome, *, quick: bool) -> dict[str, Any]:
    count = outcome.count
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "tried": count.tried if count else 0,
        "unit": outcome.part.unit,
        "failed": count.failed if count else None,
        "note": count.note if count else "",
        "wrong": list(outcome.wrong),
        "took_s": round(outcome.took_s, 1),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_after": round(os.getloadavg()[0], 1),
    }


def _failed(outcome: Outcome) -> str:
    """A number where there is one; a proof can fail without any of what it tried."""
    return f"{outcome.count.failed:,}" if outcome.count and outcome.count.failed else "yes"


def _from_root(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)

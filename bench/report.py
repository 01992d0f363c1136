"""What a benchmark found: figures with their aims, as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Sense = Literal["at most", "at least"]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be; a benchmark says whether it is, and fails for nothing."""

    limit: float
    sense: Sense = "at most"

    def met(self, value: float) -> bool:
        return value <= self.limit if self.sense == "at most" else value >= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. unit: "ms", "writes", "units", "1/s" ...; detail: how it came about, in a few words."""

    name: str
    value: float
    unit: str
    aim: Aim | None = None
    detail: str = ""

    @property
    def met(self) -> bool | None:
        return self.aim.met(self.value) if self.aim else None


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one benchmark. notes: sentences without which the figures would mislead."""

    benchmark: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    took_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "benchmark": self.benchmark,
            "took_s": round(self.took_s, 1),
            "figures": [_figure_json(figure) for figure in self.figures],
            "notes": list(self.notes),
        }


def print_report(console: Console, report: Report) -> None:
    """One table: figure, value, aim, met or missed."""
    table = Table(title=f"{report.benchmark}  ({report.took_s:.0f} s)", title_justify="left", title_style="bold")
    table.add_column("figure", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("aim", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for figure in report.figures:
        name = f"{figure.name}  [dim]{figure.detail}[/dim]" if figure.detail else figure.name
        table.add_row(name, f"{_number(figure.value)} {figure.unit}", _aim(figure), _verdict(figure))
    console.print(table)
    for note in report.notes:
        console.print(f"  {note}", style="dim")
    console.print()


def missed(reports: Sequence[Report]) -> list[str]:
    """The figures that miss their aim, as "benchmark: figure"."""
    return [
        f"{report.benchmark}: {figure.name}" for report in reports for figure in report.figures if figure.met is False
    ]


def _figure_json(figure: Figure) -> dict[str, Any]:
    told: dict[str, Any] = {"name": figure.name, "value": round(figure.value, 3), "unit": figure.unit}
    if figure.detail:
        told["detail"] = figure.detail
    if figure.aim:
        told |= {"aim": figure.aim.limit, "sense": figure.aim.sense, "met": figure.met}
    return told


def _number(value: float) -> str:
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    return f"{'≤' if figure.aim.sense == 'at most' else '≥'} {_number(figure.aim.limit)}"


def _verdict(figure: Figure) -> str:
    return {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[figure.met]

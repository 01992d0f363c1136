"""Where a command speaks: tables on a terminal, tab-separated lines for other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO


class Screen:
    """rich: draw for a person. Words for people go to `errors` where the output is for programs."""

    def __init__(self, output: TextIO | None = None, errors: TextIO | None = None, *, rich: bool = False) -> None:
        self._output = output or sys.stdout
        self._errors = errors or sys.stderr
        self._rich = rich

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> int:
        """Show the rows; returns how many there were."""
        listed = [tuple(_text(value) for value in row) for row in rows]
        if self._rich:
            self._draw(columns, listed, title)
        else:
            for line in (columns, *listed) if listed else ():
                self._output.write("\t".join(line) + "\n")
        return len(listed)

    def line(self, text: str) -> None:
        """One plain sentence of the result."""
        self._output.write(text + "\n")

    def problem(self, text: str) -> None:
        """What went wrong or needs a person, in a sentence."""
        self._errors.write(text + "\n")

    def _draw(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(*columns, title=title or None, title_justify="left")
        for row in rows:
            drawn.add_row(*(Text(value) for value in row))
        Console(file=self._output).print(drawn)


def _text(value: object) -> str:
    return " ".join(str("" if value is None else value).split())

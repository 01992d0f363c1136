"""Where the run speaks: rich on a terminal, plain lines anywhere else; NO_COLOR is honoured by rich itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDEST = 110
"""Lines longer than this are hard to read."""

_PLAIN_WIDTH = 80


class Screen:
    """A console with the few kinds of line that a run needs."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._chapters = 0

    @property
    def live(self) -> bool:
        """Whether a line can be redrawn."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def chapter(self, title: str) -> None:
        self._chapters += 1
        self.blank()
        self.show(Text(f"{self._chapters}. {title}", style="bold cyan"))

    def line(self, text: str | Text) -> None:
        self.show(_item("", text))

    def done(self, what: str, detail: str = "") -> None:
        """One thing that was seen to happen."""
        text = Text(what)
        if detail:
            text.append(f"  {detail}", style="dim")
        self.show(_item(Text("✓", style="green"), text))

    def failed(self, what: str) -> None:
        self.show(_item(Text("✗", style="bold red"), Text(what, style="red")))

    def show(self, what: RenderableType) -> None:
        """Print anything. Where no terminal is, lines end where their text ends."""
        if self.console.is_terminal:
            self.console.print(what)
            return
        with self.console.capture() as captured:
            self.console.print(what)
        for line in captured.get().splitlines():
            self.console.file.write(f"{line.rstrip()}\n")

    def blank(self) -> None:
        self.console.print()


def _item(mark: str | Text, text: str | Text) -> Table:
    """A mark, and a text that stays to the right of it when it needs several lines."""
    table = Table.grid(padding=0)
    table.add_column(width=3)
    table.add_column(width=2)
    table.add_column(overflow="fold")
    table.add_row("", mark, text)
    return table


def open_screen() -> Screen:
    """The screen on standard output; characters its encoding lacks become question marks."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", line_buffering=True)
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        width = int(os.environ.get("COLUMNS") or 0) or _PLAIN_WIDTH
        console = Console(highlight=False, emoji=False, markup=False, width=min(width, WIDEST))
    elif console.width > WIDEST:
        console.width = WIDEST
    return Screen(console)

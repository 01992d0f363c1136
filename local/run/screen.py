"""Where the run speaks: rich on a terminal, plain lines anywhere else; NO_COLOR is honoured by rich itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
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
        self.console.print()
        self.console.print(Text(f"{self._chapters}. {title}", style="bold cyan"))

    def line(self, text: str | Text) -> None:
        self.console.print(Text("   ").append(text if isinstance(text, Text) else Text(text)))

    def done(self, what: str, detail: str = "") -> None:
        """One thing that was seen to happen."""
        line = Text("   ").append("✓ ", style="green").append(what)
        if detail:
            line.append(f"  {detail}", style="dim")
        self.console.print(line)

    def failed(self, what: str) -> None:
        self.console.print(Text("   ").append("✗ ", style="bold red").append(what, style="red"))

    def show(self, what: RenderableType) -> None:
        self.console.print(what)

    def blank(self) -> None:
        self.console.print()


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


@contextmanager
def waiting(screen: Screen, text: str) -> Iterator[None]:
    """Show that something takes a while; nothing where lines cannot be redrawn."""
    if not screen.live:
        yield
        return
    with screen.console.status(Text(text)):
        yield

"""What the screen prints where there is no terminal, on a narrow one, and where colours are not wanted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from local.run.screen import Screen, open_screen


def _screen(*, terminal: bool, width: int = 40) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False, markup=False)
    return Screen(console), out


def test_plain_output_has_no_escape_codes_and_no_trailing_spaces() -> None:
    screen, out = _screen(terminal=False)

    screen.chapter("Live")
    screen.done("a mail arrives", "Aino")
    screen.failed("nothing else")

    assert "\x1b" not in out.getvalue()
    assert out.getvalue().splitlines() == ["", "1. Live", "   ✓ a mail arrives  Aino", "   ✗ nothing else"]


def test_a_long_line_goes_on_below_its_own_text() -> None:
    screen, out = _screen(terminal=False, width=24)

    screen.done("a sentence that is too long")

    assert out.getvalue().splitlines() == ["   ✓ a sentence that is", "     too long"]


def test_a_terminal_gets_colours_unless_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen, out = _screen(terminal=True)
    screen.show(Text("red", style="red"))
    assert "\x1b[31m" in out.getvalue()

    monkeypatch.setenv("NO_COLOR", "1")
    screen, out = _screen(terminal=True)
    screen.show(Text("red", style="red"))
    assert "\x1b[31m" not in out.getvalue()


def test_what_the_encoding_lacks_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)

    open_screen().done("遥")

    stream.flush()
    assert stream.buffer.getvalue().strip() == b"? ?"

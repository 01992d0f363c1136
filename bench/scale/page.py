"""docs/scale.md between its marks: prose is written by hand, tables by the program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
_MARKED = re.compile(r"(<!-- scale:([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str, sections: Mapping[str, str]) -> str:
    """The page with every marked place written anew. Raises: KeyError for a mark that no section has."""
    return _MARKED.sub(lambda found: f"{found[1]}{sections[found[2]]}\n{found[3]}", text)


def marks(text: str) -> list[str]:
    return [found[2] for found in _MARKED.finditer(text)]

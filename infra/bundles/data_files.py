"""The files that a module reads from beside itself at run time.

A module that asks where it lies (`__file__`) brings the files of its folder, and of the folders in it, whose name or
whose folder's name stands in it as a text: `Path(__file__).parent / "fonts"` brings what lies in fonts/.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_CODE = (".py", ".pyc")


def data_files(module: Path) -> Iterator[Path]:
    text = module.read_text("utf-8")
    if "__file__" not in text:
        return
    texts = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    for file in sorted(module.parent.rglob("*")):
        if file.suffix not in _CODE and file.is_file() and texts.intersection(file.relative_to(module.parent).parts):
            yield file

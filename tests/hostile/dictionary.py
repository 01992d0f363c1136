"""The words a function understands, read from its source, so that guesses come near without anybody listing them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}")


@cache
def names(function: str) -> tuple[str, ...]:
    """Names of arguments and fields, and words they may have: short texts of main.py and of what it imports of ours."""
    main = ROOT / "functions" / function / "main.py"
    found = set(_short_texts(main))
    for module in _imported(main):
        found |= set(_short_texts(module))
    return tuple(sorted(found))


@cache
def choices() -> tuple[str, ...]:
    """Every value of every enumeration of the domain and the use cases."""
    found: set[str] = set()
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
                found |= {text for text in _texts_of(node) if _NAME.fullmatch(text)}
    return tuple(sorted(found))


def ids(paths: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Ids of the documents there are, by the name of their collection."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        parts = path.split("/")
        for collection, id_ in zip(parts[::2], parts[1::2], strict=True):
            found[collection].add(id_)
    return {collection: tuple(sorted(kept)) for collection, kept in found.items()}


def _imported(main: Path) -> Iterator[Path]:
    for node in ast.walk(_tree(main)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("shared."):
            path = (ROOT / node.module.replace(".", "/")).with_suffix(".py")
            if path.exists() and path.stem not in {"entrypoints", "answers", "wiring"}:
                yield path


def _short_texts(path: Path) -> Iterator[str]:
    return (text for text in _texts_of(_tree(path)) if _NAME.fullmatch(text))


def _texts_of(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())

"""Which files a person means when they name files and folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


class UnreadableFileError(Exception):
    """A named file cannot be read; the message is the sentence the person sees, with file and byte offset."""


def files_named(paths: Iterable[Path], *, wanted: Callable[[Path], bool], kind: str) -> Iterator[Path]:
    """Yield every named file as it is, and from every named folder, recursively, those that `wanted` accepts.

    Files of one folder come in natural order (part2 before part10). A file reached twice is yielded once.
    Raises: UnreadableFileError for a path that does not exist, or a folder without any file of this kind.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found = sorted((file for file in path.rglob("*") if file.is_file() and wanted(file)), key=_natural_order)
            if not found:
                raise UnreadableFileError(f"{path}: this folder holds no {kind} file")
        elif path.is_file():
            found = [path]
        else:
            raise UnreadableFileError(f"{path}: there is no such file or folder")
        for file in found:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _natural_order(path: Path) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"([0-9]+)", str(path))]

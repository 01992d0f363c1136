"""A folder of bundles, ready to be deployed: <function>.zip for each, and bundles.json that says what they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.bundles.archive import archive, sha256
from infra.bundles.bundle import Bundle, Bundler

LIST = "bundles.json"


@dataclass(frozen=True, slots=True)
class Written:
    """One zip in the folder. size: its bytes."""

    bundle: Bundle
    file: Path
    sha256: str
    size: int


def write_bundles(
    bundler: Bundler, folder: Path, names: Iterable[str] | None = None, told: Callable[[Written], None] | None = None
) -> list[Written]:
    """Write the bundles of all functions (or `names`), and bundles.json: {function: {"file", "sha256"}}.

    A file that is already the same is left alone; zips of functions that are gone are removed.

    Raises: LockError, naming what cannot be bundled; bundles.json is then as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in bundler.functions if names is None else names:
        written.append(_write(bundler.bundle(name), folder))
        if told is not None:
            told(written[-1])
    if names is None:
        _forget(folder, {one.file for one in written})
    listed = {one.bundle.name: {"file": one.file.name, "sha256": one.sha256} for one in written}
    (folder / LIST).write_text(json.dumps(listed, indent=1) + "\n")
    return written


def _write(bundle: Bundle, folder: Path) -> Written:
    content = archive(bundle.files)
    file = folder / f"{bundle.name}.zip"
    if not file.exists() or file.read_bytes() != content:
        file.write_bytes(content)
    return Written(bundle, file, sha256(content), len(content))


def _forget(folder: Path, kept: set[Path]) -> None:
    for file in folder.glob("*.zip"):
        if file not in kept:
            file.unlink()

"""The bundle of one function, as it is deployed: a root main.py, its folder, what it needs of shared/, its lock."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import yaml

from infra.bundles.data_files import data_files
from infra.bundles.lock import Locked, lock_text, read_lock
from infra.bundles.packages import Packages
from infra.bundles.reach import reach
from infra.bundles.sources import Sources

ENTRY = '''"""Entry of the deployed function {name}."""

from functions.{name}.main import {name}

__all__ = ["{name}"]
'''


@dataclass(frozen=True, slots=True)
class Bundle:
    """files: by their path in the bundle. packages: those of its requirements.txt."""

    name: str
    files: Mapping[PurePosixPath, bytes]
    packages: tuple[Locked, ...]

    @property
    def lock(self) -> str:
        return lock_text(list(self.packages))

    def write_to(self, folder: Path) -> None:
        """Replace what `folder` holds."""
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)


class Bundler:
    """Makes the bundles of one project; what they have in common is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.sources = Sources(root)

    @property
    def functions(self) -> list[str]:
        return sorted(path.parent.name for path in (self._root / "functions").glob("*/main.py"))

    def bundle(self, name: str) -> Bundle:
        """Raises: LockError for an import that neither the project nor the lock can serve."""
        reached = reach(self.sources, name, self.providers(name))
        packages = tuple(self._packages.needed(reached.foreign))
        files = {path: (self._root / path).read_bytes() for path in self._paths(name, reached.modules)}
        files[PurePosixPath("main.py")] = ENTRY.format(name=name).encode()
        files[PurePosixPath("requirements.txt")] = lock_text(list(packages)).encode()
        return Bundle(name, dict(sorted(files.items())), packages)

    @cached_property
    def _packages(self) -> Packages:
        return Packages(read_lock(self._root / "requirements.txt"))

    def _paths(self, name: str, modules: set[str]) -> set[PurePosixPath]:
        code = {self.sources.paths[module] for module in modules}
        data = {file for module in modules for file in data_files(self.sources.paths[module])}
        own = self._root / "functions" / name / "function.yaml"
        return {PurePosixPath(path.relative_to(self._root).as_posix()) for path in (*code, *data, own)}

    def providers(self, name: str) -> tuple[str, ...]:
        manifest = yaml.safe_load((self._root / "functions" / name / "function.yaml").read_text("utf-8"))
        return tuple(manifest.get("providers") or ())

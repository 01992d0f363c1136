"""Which packages of the lock a bundle needs: those its modules import, the framework, and what they need in turn.

Read from the metadata of what is installed, which must be what the lock pins. Markers are those of the cloud: CPython
3.11 to 3.13 on Linux; a package is needed if one of these needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.bundles.lock import Locked, LockError
from infra.bundles.sources import Import

FRAMEWORK = "functions-framework"
PYTHONS = ("3.11", "3.12", "3.13")
_PLATFORM = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
}
_SUFFIXES = (".py", ".so", ".pyi")

BEHIND = {"zoneinfo": "tzdata"}
"""Modules of the standard library that work everywhere only with a package: not every image has the time zones."""


Need = tuple[str, str]
"""A package and one of its extras, "" for the package itself."""


class Packages:
    """The lock's packages, as they are installed beside the program that asks."""

    def __init__(self, lock: Mapping[str, Locked]) -> None:
        self._lock = lock
        self._needs: dict[Need, tuple[Need, ...]] = {}

    def needed(self, imports: Mapping[Import, str]) -> list[Locked]:
        """In the lock's order. imports: with the module that imports. Raises: LockError for one no package brings."""
        direct = {self._provider(one, importer) for one, importer in imports.items()} - {None}
        names = self._closure([(FRAMEWORK, ""), *((name, "") for name in direct if name)])
        return [package for name, package in self._lock.items() if name in names]

    def _provider(self, one: Import, importer: str) -> str | None:
        first = one.module.split(".")[0]
        if first in sys.stdlib_module_names:
            return BEHIND.get(first)
        names = [one.module, *([f"{one.module}.{one.name}"] if one.name else [])]
        for dotted in reversed(names):
            if dotted in self._modules:
                return self._modules[dotted]
        raise LockError(f"{importer} imports {names[-1]}, which no package of requirements.txt brings")

    @cached_property
    def _modules(self) -> dict[str, str]:
        """Importable modules, by dotted name, with the package that brings them."""
        found: dict[str, str] = {}
        for name in self._lock:
            for module in _modules_of(name, self._installed(name).version):
                found.setdefault(module, name)
        return found

    def _closure(self, wanted: Iterable[Need]) -> set[str]:
        """Names of packages."""
        waiting, seen = list(wanted), set[Need]()
        while waiting:
            need = waiting.pop()
            if need not in seen:
                seen.add(need)
                waiting += self._needs_of(need)
        return {name for name, _ in seen}

    def _needs_of(self, need: Need) -> tuple[Need, ...]:
        if need not in self._needs:
            name, extra = need
            requirements = [Requirement(text) for text in self._installed(name).requires or ()]
            applying = [one for one in requirements if _applies(one, extra)]
            self._needs[need] = tuple(
                (canonicalize_name(one.name), more) for one in applying for more in ("", *sorted(one.extras))
            )
        return self._needs[need]

    def _installed(self, name: str) -> metadata.Distribution:
        locked = self._lock.get(name)
        if locked is None:
            raise LockError(f"{name} is needed, and requirements.txt does not pin it. Write it anew: make lock")
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise LockError(
                f"{name} of requirements.txt is not installed here. Make .venv anew: rm -rf .venv"
            ) from None
        if found.version != locked.version:
            raise LockError(
                f"{name} {found.version} is installed, requirements.txt pins {locked.version}. "
                "Make .venv anew: rm -rf .venv"
            )
        return found


@cache
def _modules_of(name: str, _version: str) -> frozenset[str]:
    """What an installed package makes importable, by dotted name."""
    found = set()
    for file in metadata.distribution(name).files or ():
        if file.suffix in _SUFFIXES and ".." not in file.parts:
            *folders, last = file.parts
            stem = last.split(".")[0]
            found.add(".".join(folders if stem == "__init__" else [*folders, stem]))
    return frozenset(found)


def _applies(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return extra == ""
    for python in PYTHONS:
        place = {**_PLATFORM, "python_version": python, "python_full_version": f"{python}.0"}
        if requirement.marker.evaluate({**place, "extra": extra}):
            return True
    return False

"""What a function can reach in the project, definition by definition.

A module that is imported runs as a whole; an import inside a function or class comes along only if something reachable
uses that function or class. So a function that asks wiring for a store and nothing else brings neither the task queue's
client nor any provider. Providers found by name at run time are invisible here: the function's manifest names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.bundles.sources import BODY, Import, Sources, parents

OURS = ("shared", "functions")

FINDER = ("shared.providers.connecting", "connecting")
"""The one definition that imports by a name known only at run time: the module `connecting` of a provider."""

ALL = "all"


@dataclass(slots=True)
class Reached:
    """modules: ours, by dotted name. definitions: (module, name) that may run. foreign: imports of anybody else's."""

    modules: set[str] = field(default_factory=set)
    definitions: set[tuple[str, str]] = field(default_factory=set)
    foreign: dict[Import, str] = field(default_factory=dict)
    """With the module of ours that imports it."""

    def names_of(self, module: str) -> frozenset[str]:
        """Definitions of one module that are reached, for instance what a function asks wiring for."""
        return frozenset(name for owner, name in self.definitions if owner == module and name)


def reach(sources: Sources, function: str, providers: Iterable[str]) -> Reached:
    """Follow everything from functions/<function>/main.py.

    Args:
        providers: of the function's manifest; "all" for every folder that has a module `connecting`.
    """
    walk = _Walk(sources)
    walk.add_module(f"functions.{function}.main", whole=True)
    walk.run()
    if FINDER in walk.reached.definitions:
        for provider in _providers(sources, providers):
            walk.add_module(f"shared.providers.{provider}.connecting", whole=True)
        walk.run()
    return walk.reached


def _providers(sources: Sources, named: Iterable[str]) -> list[str]:
    folder = "shared.providers."
    there = [name.split(".")[2] for name in sources.paths if name.startswith(folder) and name.endswith(".connecting")]
    return [provider for provider in there if provider in set(named) or ALL in set(named)]


class _Walk:
    def __init__(self, sources: Sources) -> None:
        self.reached = Reached()
        self._sources = sources
        self._waiting: list[tuple[str, str]] = []

    def add_module(self, module: str, *, whole: bool) -> None:
        for package in parents(module):
            self._add(package, BODY)
        self._add(module, BODY)
        if whole and module in self._sources.paths:
            for name in self._sources.parts(module):
                self._add(module, name)

    def run(self) -> None:
        while self._waiting:
            self._follow(*self._waiting.pop())

    def _add(self, module: str, name: str) -> None:
        if module in self._sources.paths and (module, name) not in self.reached.definitions:
            self.reached.modules.add(module)
            self.reached.definitions.add((module, name))
            self._waiting.append((module, name))

    def _follow(self, module: str, name: str) -> None:
        parts = self._sources.parts(module)
        part = parts[name]
        for one in part.imports:
            self._import(one, module)
        bound = {one.bound_to: one for one in (*parts[BODY].imports, *part.imports)}
        for dotted in part.dotted:
            first, _, rest = dotted.partition(".")
            if first in bound:
                self._use(bound[first], rest)
            elif first in parts:
                self._add(module, first)

    def _import(self, one: Import, importer: str) -> None:
        if one.module.split(".")[0] not in OURS:
            self.reached.foreign.setdefault(one, importer)
            return
        self.add_module(one.module, whole=False)
        if one.name is not None and self._is_module(f"{one.module}.{one.name}"):
            self.add_module(f"{one.module}.{one.name}", whole=False)

    def _use(self, one: Import, rest: str) -> None:
        """Something imported is named, with the attributes taken of it."""
        if one.module.split(".")[0] not in OURS:
            return
        path = ".".join(part for part in (one.module, one.name, rest) if part)
        module = one.module
        for name in path[len(module) + 1 :].split("."):
            if not name:
                self.add_module(module, whole=True)  # the module itself is handed on: anything of it may be used
            elif self._is_module(f"{module}.{name}"):
                module = f"{module}.{name}"
                if module == path:
                    self.add_module(module, whole=True)
            else:
                self._use_name(module, name)
                return

    def _use_name(self, module: str, name: str) -> None:
        if module not in self._sources.paths:
            return
        parts = self._sources.parts(module)
        if name in parts:
            self._add(module, name)
        for one in parts[BODY].imports:
            if one.bound_to == name:
                self._use(one, "")

    def _is_module(self, dotted: str) -> bool:
        return dotted in self._sources.paths or dotted in self._sources.packages

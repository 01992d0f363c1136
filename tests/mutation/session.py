"""A test session that runs every test once to learn what it executes, and then forks a process for each mutant."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import coverage
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutation.explained import EXPLAINED
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.swap import swap_in

SURVIVED, KILLED, NOT_SWAPPED = 0, 1, 2
EXAMPLES = 60
PATIENCE = 8.0
"""A mutant that makes its tests so many times slower hangs, as far as anybody can tell."""


@dataclass
class Result:
    """What became of one module's mutants. survivors: mutants that no test noticed. left: not tried, for want of time
    or by the sample."""

    module: str
    tried: int = 0
    left: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def explained(self) -> list[Mutant]:
        return [mutant for mutant in self.survivors if mutant.name in EXPLAINED.get(self.module, {})]

    @property
    def unexplained(self) -> list[Mutant]:
        return [mutant for mutant in self.survivors if mutant.name not in EXPLAINED.get(self.module, {})]


class Mutation:
    """A plugin of pytest that takes the place of its loop."""

    def __init__(self, modules: Sequence[str], *, sample: int | None, seed: int, minutes: float) -> None:
        self.results: list[Result] = []
        self._modules = modules
        self._sample = sample
        self._seed = seed
        self._ends_at = time.monotonic() + 60 * minutes
        self._took_s: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item in session.items:
            _hasten(item)
        items = {item.nodeid: item for item in session.items}
        reach = self._watch(session.items)
        for module in self._modules:
            self.results.append(self._try_module(module, reach.get(str(Path(module).resolve()), {}), items))
        return True

    def _watch(self, items: Sequence[pytest.Item]) -> dict[str, dict[int, set[str]]]:
        """Which tests execute which line of which module. A test that fails without any mutant is left out."""
        watch = coverage.Coverage(include=list(self._modules), data_file=None, branch=False)
        watch.start()
        for index, item in enumerate(items):
            watch.switch_context(item.nodeid)
            following = items[index + 1] if index + 1 < len(items) else None
            began = time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=following)
            if all(report.passed for report in reports):
                self._took_s[item.nodeid] = time.monotonic() - began
        watch.stop()
        data = watch.get_data()
        found: dict[str, dict[int, set[str]]] = {}
        for path in data.measured_files():
            by_line = data.contexts_by_lineno(path)
            found[path] = {line: {one for one in tests if one in self._took_s} for line, tests in by_line.items()}
        return found

    def _try_module(self, path: str, reach: dict[int, set[str]], items: dict[str, pytest.Item]) -> Result:
        result = Result(path)
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        files = {name.partition("::")[0] for tests in reach.values() for name in tests}
        everything = {name for name in self._took_s if name.partition("::")[0] in files}
        if _killed(module.__name__, None, [items[name] for name in sorted(everything)], sum(self._took_s.values())):
            raise RuntimeError(f"tests of {path} fail the second time without any mutant: nothing would survive")
        found = list(mutants(Path(path).read_text(encoding="utf-8")))
        if self._sample is not None:
            chosen = set(Random(f"{self._seed} {path}").sample(range(len(found)), min(self._sample, len(found))))
            result.left = len(found) - len(chosen)
            found = [mutant for index, mutant in enumerate(found) if index in chosen]
        for mutant in found:
            if time.monotonic() > self._ends_at:
                result.left += 1
                continue
            result.tried += 1
            at_import = mutant.where == "module" or not reach.get(mutant.line)  # constants, defaults of arguments
            tests = everything if at_import else reach[mutant.line]
            ordered = [items[name] for name in sorted(tests, key=lambda name: self._took_s[name])]
            if not _killed(module.__name__, mutant, ordered, sum(self._took_s[name] for name in tests)):
                result.survivors.append(mutant)
                print(f"{path}:{mutant.line} {mutant.name}", flush=True)
        return result


def _hasten(item: pytest.Item) -> None:
    """A property is tried with few examples, the same in each process, and what breaks it is not made smaller."""
    test = getattr(item, "obj", None)
    usual = getattr(test, "_hypothesis_internal_use_settings", None)
    if usual is not None:
        phases = (Phase.explicit, Phase.generate)
        few = settings(usual, max_examples=EXAMPLES, phases=phases, derandomize=True, database=None)
        vars(test)["_hypothesis_internal_use_settings"] = few


def _killed(module: str, mutant: Mutant | None, items: Sequence[pytest.Item], usual_s: float) -> bool:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(int(10 + PATIENCE * usual_s))  # its end is a kill as well
        _be_the_child(module, mutant, items)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended == NOT_SWAPPED:
        raise LookupError(f"{module} has no function {mutant and mutant.where}")
    return ended != SURVIVED


def _be_the_child(module: str, mutant: Mutant | None, items: Sequence[pytest.Item]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        if mutant is not None:
            swap_in(sys.modules[module], mutant)
    except LookupError:
        os._exit(NOT_SWAPPED)
    except BaseException:
        os._exit(KILLED)
    try:
        for item, following in zip(items, [*items[1:], None], strict=True):
            if not all(report.passed for report in runtestprotocol(item, log=False, nextitem=following)):
                os._exit(KILLED)
    except BaseException:
        os._exit(KILLED)
    os._exit(SURVIVED)

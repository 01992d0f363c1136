"""Stop the world at every side effect, one at a time, and see whether redelivery brings it to the same end.

A flow builds a world of ports and delivers one input to it. The harness finds the points by itself: each call of a
method that some Protocol of `shared.ports` has and does not mark with `@reads`. It runs the flow once undisturbed, then
once for every point and every way to go wrong there, redelivering the input until it succeeds, as the real queue would.
What the world is in the end must be what it is undisturbed.

`try_every_pair` goes on where that ends: whatever was struck once is struck a second time on its way to recovery, at
every call that follows the first strike.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from random import Random
from typing import Any, Generic, Literal, TypeVar

from shared import ports
from shared.errors import ProviderUnavailableError, RetryableError

World = TypeVar("World")
Mode = Literal["before", "halfway", "after", "reply lost"]

MODES: tuple[Mode, ...] = ("before", "halfway", "after", "reply lost")
MOST_DELIVERIES = 20
PIECEWISE = frozenset({"Tasks.create"})
"""Calls that may stop in the middle of what they were given. All others are atomic and are not stopped halfway."""


class Crash(BaseException):
    """The process died here."""


@dataclass(frozen=True)
class Flow(Generic[World]):
    """One input's way through the product.

    build: a fresh world, a dataclass whose ports are its fields.
    run: deliver the input once and drain the queues, as a new process would: only the world is kept between runs, and
        whatever is made over ports (a vault over documents) is made in here, or its side effects go unseen.
    end_state: what must be the same in the end; compared with ==.
    before_redelivery: what passes until the queue delivers again, such as time for a lease to end.
    """

    name: str
    build: Callable[[], World]
    run: Callable[[World], None]
    end_state: Callable[[World], Any]
    before_redelivery: Callable[[World], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to go wrong (the number of the call, from 0) and how. then: where to go wrong next; its calls are numbered
    anew from the one after the first strike, most of them in the redelivery."""

    point: int
    mode: Mode
    then: Plan | None = None

    def __str__(self) -> str:
        return f"{self.mode} call {self.point}" + (f", then {self.then}" if self.then else "")


@dataclass(frozen=True, slots=True)
class Failure:
    """A plan after which the world was not what it should be, and why. call: what was struck, first to last."""

    plan: Plan
    call: str
    reason: str

    def __str__(self) -> str:
        return f"{self.call} ({self.plan}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Report:
    """calls: the side effects of the undisturbed run, in order. tried: plans carried out."""

    flow: str
    calls: tuple[str, ...]
    tried: int
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        lines = [f"{self.flow}: {len(self.calls)} side effects, {self.tried} plans, {len(self.failures)} failures"]
        return "\n".join(lines + [f"  {failure}" for failure in self.failures])


def try_every_point(flow: Flow[World]) -> Report:
    """Run `flow` undisturbed, then with every plan of one strike there is.

    Raises: ValueError if the world has no port or the flow no side effect: there would be nothing to try.
    """
    trial = Trial(flow)
    return trial.carry_out(trial.singles())


def try_every_pair(flow: Flow[World]) -> Report:
    """Run `flow` undisturbed, then with every plan of two strikes there is.

    Raises: ValueError as try_every_point does, or if a strike alone already ends badly: pairs would repeat it.
    """
    trial = Trial(flow)
    return trial.carry_out(pair for first in trial.singles() for pair in trial.pairs(first))


def try_some_pairs(flow: Flow[World], *, firsts: int, seconds: int, seed: int) -> Report:
    """Like try_every_pair, for `firsts` places of the first strike and `seconds` of the second after each, drawn by
    `seed`."""
    trial, chance = Trial(flow), Random(seed)
    chosen = _some(trial.singles(), firsts, chance)
    return trial.carry_out([pair for first in chosen for pair in _some(trial.pairs(first), seconds, chance)])


def _some(plans: Iterable[Plan], count: int, chance: Random) -> list[Plan]:
    found = list(plans)
    return chance.sample(found, min(count, len(found)))


class Trial(Generic[World]):
    """One flow, what it does and how it ends undisturbed, and every plan against it.

    Raises: ValueError if the world has no port or the flow no side effect.
    """

    def __init__(self, flow: Flow[World]) -> None:
        self._flow = flow
        self._stage = _Stage(None)
        undisturbed = flow.build()
        self._stage.wrap(undisturbed)
        flow.run(undisturbed)
        if not self._stage.calls:
            raise ValueError(f"flow {flow.name} has no side effect")
        self._expected = flow.end_state(undisturbed)

    def singles(self) -> list[Plan]:
        """Every plan of one strike, in the order of the calls."""
        return list(_plans(self._stage.calls, self._stage.sizes))

    def pairs(self, first: Plan) -> list[Plan]:
        """Every plan that begins with `first` and strikes once more: the calls are those that follow it when nothing
        else goes wrong. Raises: ValueError if `first` alone ends badly."""
        stage, failure = self._play(first)
        if failure:
            raise ValueError(f"{self._flow.name} does not survive one strike: {failure}")
        after = slice(first.point + 1, None)
        return [replace(first, then=second) for second in _plans(stage.calls[after], stage.sizes[after])]

    def carry_out(self, plans: Iterable[Plan]) -> Report:
        """Run the flow once for each plan."""
        tried, failures = 0, []
        for plan in plans:
            tried += 1
            if failure := self._play(plan)[1]:
                failures.append(failure)
        return Report(self._flow.name, tuple(self._stage.calls), tried, tuple(failures))

    def _play(self, plan: Plan) -> tuple[_Stage, Failure | None]:
        """Deliver the input until it succeeds; what was called, and what was wrong in the end."""
        flow, stage = self._flow, _Stage(plan)
        world = flow.build()
        stage.wrap(world)
        for _ in range(MOST_DELIVERIES):
            try:
                flow.run(world)
            except (Crash, RetryableError):
                stage.restart()
                flow.before_redelivery(world)
                continue
            found = flow.end_state(world)
            if stage.pending:
                reason = "never reached: two runs of this flow do not do the same"
            elif found != self._expected:
                reason = _difference(self._expected, found)
            else:
                return stage, None
            return stage, Failure(plan, ", then ".join(stage.struck), reason)
        reason = f"still failing after {MOST_DELIVERIES} deliveries"
        return stage, Failure(plan, ", then ".join(stage.struck), reason)


def _plans(calls: Sequence[str], sizes: Sequence[int]) -> Iterator[Plan]:
    for point, (call, size) in enumerate(zip(calls, sizes, strict=True)):
        for mode in MODES:
            if mode != "halfway" or (call in PIECEWISE and size > 1):
                yield Plan(point, mode)


def _difference(expected: object, found: object) -> str:
    """What differs; of maps only the entries that do."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
        return "; ".join(f"{key}: {_difference(expected.get(key), found.get(key))}" for key in keys)
    return f"expected {expected!r}, found {found!r}"


# ------------------------------------------------------------------------------------------------------------ proxies


class _Stage:
    """Counts the side effects of one world and strikes where the plan says.

    calls, sizes: every side effect so far, and how many things each was given. struck: those that were struck, and
    how. pending: the strike that is yet to come.
    """

    def __init__(self, plan: Plan | None) -> None:
        self.calls: list[str] = []
        self.sizes: list[int] = []
        self.struck: list[str] = []
        self.pending = plan
        self._counted_from = 0
        self._dead = False

    def wrap(self, world: object) -> None:
        """Put a proxy in the place of every port of `world`."""
        if not is_dataclass(world):
            raise ValueError("a world is a dataclass whose fields are its ports")
        for entry in fields(world):
            port = getattr(world, entry.name)
            if methods := _methods_of_ports(port):
                object.__setattr__(world, entry.name, _Proxy(port, methods, self))

    def restart(self) -> None:
        """A new process: its ports answer again."""
        self._dead = False

    def call(self, label: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        """Carry out one side effect, or what the plan makes of it."""
        self.check_alive()
        point = len(self.calls)
        self.calls.append(label)
        self.sizes.append(len(args[0]) if args and isinstance(args[0], Sequence) else 1)
        plan = self.pending
        if plan is None or self._counted_from + plan.point != point:
            return method(*args, **kwargs)
        mode = plan.mode
        self.struck.append(f"{mode} {label}")
        self.pending, self._counted_from = plan.then, point + 1
        if mode == "halfway":
            method(args[0][: self.sizes[point] // 2], *args[1:], **kwargs)
        elif mode != "before":
            method(*args, **kwargs)
        if mode == "reply lost":
            raise ProviderUnavailableError(f"{label}: done, but the reply was lost")
        self._dead = True
        raise Crash(label)

    def check_alive(self) -> None:
        """A dead process tidies nothing up: whatever `finally` tries after a crash fails as well."""
        if self._dead:
            raise Crash("after the crash")


class _Proxy:
    """Stands before a port. What no Protocol knows (what a fake shows its test) goes through untouched."""

    _port: object
    _methods: dict[str, tuple[str, bool]]
    _stage: _Stage

    def __init__(self, port: object, methods: dict[str, tuple[str, bool]], stage: _Stage) -> None:
        self.__dict__.update(_port=port, _methods=methods, _stage=stage)

    def __getattr__(self, name: str) -> object:
        value = getattr(self._port, name)
        if name not in self._methods:
            return value
        label, is_read = self._methods[name]
        stage = self._stage

        def read(*args: object, **kwargs: object) -> object:
            stage.check_alive()
            return value(*args, **kwargs)

        def effect(*args: object, **kwargs: object) -> object:
            return stage.call(label, value, args, kwargs)

        return read if is_read else effect

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._port, name, value)


def _methods_of_ports(candidate: object) -> dict[str, tuple[str, bool]]:
    """Method -> ("Port.method", is it a read), for every Protocol of shared.ports all of whose methods are there."""
    found: dict[str, tuple[str, bool]] = {}
    for port in _PORTS:
        methods = _public_methods(port)
        if all(callable(getattr(candidate, name, None)) for name in methods):
            found |= {name: (f"{port.__name__}.{name}", hasattr(method, "reads")) for name, method in methods.items()}
    return found


def _public_methods(port: type) -> dict[str, Callable[..., Any]]:
    return {name: method for name, method in vars(port).items() if inspect.isfunction(method) and name[0] != "_"}


_PORTS = [
    member
    for module in pkgutil.iter_modules(ports.__path__, "shared.ports.")
    for member in vars(importlib.import_module(module.name)).values()
    if inspect.isclass(member) and getattr(member, "_is_protocol", False) and member.__module__ == module.name
]

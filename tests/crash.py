"""Stop the world at every side effect, one at a time, and see whether redelivery brings it to the same end.

A flow builds a world of ports and delivers one input to it. The harness finds the points by itself: each call of a
method that some Protocol of `shared.ports` has and does not mark with `@reads`. It runs the flow once undisturbed, then
once for every point and every way to go wrong there, redelivering the input until it succeeds, as the real queue would.
What the world is in the end must be what it is undisturbed.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
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
    """Where to go wrong (the number of the call, from 0) and how."""

    point: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class Failure:
    """A plan after which the world was not what it should be, and why."""

    plan: Plan
    call: str
    reason: str

    def __str__(self) -> str:
        return f"{self.plan.mode} {self.call} (call {self.plan.point}): {self.reason}"


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
    """Run `flow` undisturbed, then with every plan there is.

    Raises: ValueError if the world has no port or the flow no side effect: there would be nothing to try.
    """
    stage = _Stage(None)
    undisturbed = flow.build()
    stage.wrap(undisturbed)
    flow.run(undisturbed)
    calls = tuple(stage.calls)
    if not calls:
        raise ValueError(f"flow {flow.name} has no side effect")
    expected = flow.end_state(undisturbed)
    plans = [Plan(point, mode) for point, call in enumerate(calls) for mode in MODES if _can(stage, point, call, mode)]
    failures = [failure for plan in plans if (failure := _try(flow, plan, calls[plan.point], expected))]
    return Report(flow.name, calls, len(plans), tuple(failures))


def _can(stage: _Stage, point: int, call: str, mode: Mode) -> bool:
    return mode != "halfway" or (call in PIECEWISE and stage.sizes[point] > 1)


def _try(flow: Flow[World], plan: Plan, call: str, expected: object) -> Failure | None:
    stage = _Stage(plan)
    world = flow.build()
    stage.wrap(world)
    for _ in range(MOST_DELIVERIES):
        try:
            flow.run(world)
        except (Crash, RetryableError):
            stage.restart()
            flow.before_redelivery(world)
            continue
        if not stage.struck:
            return Failure(plan, call, "never reached: two runs of this flow do not do the same")
        found = flow.end_state(world)
        return None if found == expected else Failure(plan, call, _difference(expected, found))
    return Failure(plan, call, f"still failing after {MOST_DELIVERIES} deliveries")


def _difference(expected: object, found: object) -> str:
    """What differs; of maps only the entries that do."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
        return "; ".join(f"{key}: {_difference(expected.get(key), found.get(key))}" for key in keys)
    return f"expected {expected!r}, found {found!r}"


# ------------------------------------------------------------------------------------------------------------ proxies


class _Stage:
    """Counts the side effects of one world and strikes at the planned one."""

    def __init__(self, plan: Plan | None) -> None:
        self.calls: list[str] = []
        self.sizes: list[int] = []
        self.struck = False
        self._dead = False
        self._plan = plan

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
        if self._plan is None or self._plan.point != point:
            return method(*args, **kwargs)
        self.struck = True
        mode = self._plan.mode
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

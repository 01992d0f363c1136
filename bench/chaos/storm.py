"""What goes wrong during a run, when, and to whom: drawn from a seed before it begins."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

import grpc
import psutil

from local.cloud.supervisor import Supervisor
from local.firestore_proxy.proxy import FirestoreProxy, Trouble

FRONT = "front"
"""Where every function has a process of its own: the one that hands requests on. Its death loses answers, not work."""

ASKED_OUTRIGHT = (
    "gmail_push",
    "docusign_webhook",
    "quickbooks_webhook",
    "quote_write",
    "quote_send",
    "quote_page",
    "contract_write",
    "contract_send",
)
"""Functions that no queue calls and this run does."""

FROZEN_S = (0.5, 4.0)
TROUBLED_S = (0.5, 3.0)
SHARES = (0.15, 0.5, 1.0)
CODES = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED)
LOOK_EVERY_S = 0.05


class Fault(StrEnum):
    """What happens. The emulators of Google keep everything in memory, so they are frozen and never killed."""

    KILL_FUNCTION = "function killed"
    KILL_TASKS = "tasks killed"
    FREEZE_FIRESTORE = "firestore frozen"
    FREEZE_PUBSUB = "pubsub frozen"
    TROUBLE = "firestore troubled"


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault. after_s: since the one before. pick: 0 to 1, which of the processes that could be meant."""

    fault: Fault
    after_s: float
    lasts_s: float = 0.0
    trouble: Trouble | None = None
    pick: float = 0.0


def plan(seed: int, kills: int, every_s: float) -> list[Planned]:
    """As many kills, two thirds of them of functions, and half as many of everything else, in some order."""
    chance = Random(seed)
    of_tasks = kills // 3
    others = (Fault.FREEZE_FIRESTORE, Fault.FREEZE_PUBSUB, Fault.TROUBLE, Fault.TROUBLE)
    faults = [
        *([Fault.KILL_FUNCTION] * (kills - of_tasks)),
        *([Fault.KILL_TASKS] * of_tasks),
        *(others[number % len(others)] for number in range(max(len(others), kills // 2))),
    ]
    chance.shuffle(faults)
    return [_planned(fault, chance, every_s) for fault in faults]


def _planned(fault: Fault, chance: Random, every_s: float) -> Planned:
    after_s, pick = chance.uniform(0.3, 1.7) * every_s, chance.random()
    if fault is Fault.TROUBLE:
        trouble = Trouble(chance.choice(CODES), share=chance.choice(SHARES), answers_lost=0.5)
        return Planned(fault, after_s, chance.uniform(*TROUBLED_S), trouble, pick)
    return Planned(fault, after_s, chance.uniform(*FROZEN_S), pick=pick)


@dataclass(slots=True)
class Storm:
    """Carries the plan out. busy: functions that work on a task at this moment; idle ones are not worth a kill.

    done: how often each fault happened. killed: by the function's name, "all" where they share a process.
    """

    supervisor: Supervisor
    proxy: FirestoreProxy
    busy: Callable[[], Sequence[str]]
    tell: Callable[[str], None]
    done: Counter[Fault] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)

    def rage(self, planned: Sequence[Planned]) -> None:
        """Every fault in turn; returns when the last has passed."""
        for one in planned:
            time.sleep(one.after_s)
            self._do(one)
            self.done[one.fault] += 1

    def _do(self, one: Planned) -> None:
        match one.fault:
            case Fault.KILL_FUNCTION:
                self._kill_function(one.pick)
            case Fault.KILL_TASKS:
                self.supervisor.kill("tasks")
                self.supervisor.restart("tasks")
                self.tell("Cloud Tasks killed, and started again")
            case Fault.FREEZE_FIRESTORE:
                self._freeze("firestore", one.lasts_s)
            case Fault.FREEZE_PUBSUB:
                self._freeze("pubsub", one.lasts_s)
            case Fault.TROUBLE:
                assert one.trouble is not None
                self.tell(
                    f"Firestore answers {one.trouble.share:.0%} with {one.trouble.code.name} for {one.lasts_s:.1f} s"
                )
                with self._troubled(one.trouble):
                    time.sleep(one.lasts_s)

    def _freeze(self, name: str, lasts_s: float) -> None:
        self.tell(f"{name} frozen for {lasts_s:.1f} s")
        self.supervisor.pause(name)
        try:
            time.sleep(lasts_s)
        finally:
            self.supervisor.resume(name)

    @contextmanager
    def _troubled(self, trouble: Trouble) -> Iterator[None]:
        self.proxy.trouble = trouble
        try:
            yield
        finally:
            self.proxy.trouble = None

    def _kill_function(self, pick: float) -> None:
        workers = function_workers(self.supervisor.pid("functions"))
        names = sorted(workers.keys() & {*self.busy(), *ASKED_OUTRIGHT, FRONT}) or sorted(workers)
        name = names[int(pick * len(names))]
        with suppress(ProcessLookupError):
            os.kill(workers[name], signal.SIGKILL)
        self.killed[name] += 1
        self.tell(f"killed {name} (pid {workers[name]})")
        self._wait_for_another(name, workers[name])

    def _wait_for_another(self, name: str, pid: int) -> None:
        """Its server starts the next one, as the platform starts another instance."""
        while function_workers(self.supervisor.pid("functions")).get(name) in (None, pid):
            time.sleep(LOOK_EVERY_S)


def function_workers(server: int) -> dict[str, int]:
    """The processes that run functions' code: by the function where each has its own, else "all".

    server: pid of local.functions_server. Every function's own server, and it itself, has one worker.
    """
    head = psutil.Process(server)
    workers: dict[str, int] = {}
    for child in head.children():
        with suppress(psutil.Error):
            target = next((part[9:] for part in child.cmdline() if part.startswith("--target=")), None)
            if target is None:
                workers[FRONT] = child.pid
            else:
                workers.update((target, worker.pid) for worker in child.children())
    if workers.keys() == {FRONT}:
        return {"all": workers[FRONT]}
    return workers

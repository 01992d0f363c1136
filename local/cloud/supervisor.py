"""Starts the laptop cloud, watches it, and leaves nothing behind.

Every child is the head of its own process group, so that stopping it stops what it started. A guardian process ends
the groups if the supervisor itself is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

from local.cloud import guardian
from local.cloud.children import Child, Readiness, children
from local.cloud.environment import environment, prepare
from local.cloud.manifests import load_manifests
from local.cloud.memory import Memory, memory_of
from local.cloud.ports import HOST, Ports, holder, is_free
from local.cloud.requirements_check import Tools, find_tools

READY_WITHIN_S = 120.0  # one process per function takes 30 s on two cores
STOP_WITHIN_S = 3.0
_LOOK_EVERY_S = 0.02
_HERE = Path(__file__).resolve().parents[2]  # where `python -m local...` finds itself, whatever `root` is
_NO_PROXY = {"NO_PROXY": HOST, "no_proxy": HOST}  # gRPC and requests would ask a proxy for loopback too


class StartError(Exception):
    """The cloud cannot start; the message is one sentence for a person."""


class State(StrEnum):
    """Where a child is."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """Something happened to a child, `elapsed_s` after the start of the cloud."""

    name: str
    state: State
    elapsed_s: float


class Supervisor:
    """The laptop cloud as one thing: start it, look at it, stop it. Also a context manager."""

    def __init__(
        self,
        ports: Ports,
        data: Path,
        *,
        root: Path,
        isolated: bool = False,
        only: frozenset[str] | None = None,
        on_progress: Callable[[Step], None] = lambda _: None,
        tools: Callable[[], Tools] = find_tools,
    ) -> None:
        """Args:
        data: folder for keys, logs and what the parts keep between runs.
        root: the project.
        isolated: one process per function, from its bundle.
        only: names of the children to start, for tests; all if not given.
        on_progress: called from the starting thread.
        """
        self.ports = ports
        self.data = data.resolve()
        self.environment = environment(ports, self.data)
        self._root = root.resolve()
        self._isolated = isolated
        self._only = only
        self._on_progress = on_progress
        self._tools = tools
        self._children: dict[str, Child] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._guardian: subprocess.Popen[str] | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all children and return when every one is ready; if one fails, stop the others.

        Raises:
            MissingToolError, ManifestError: before anything starts.
            StartError: a port is taken, or a child ended or stayed silent.
        """
        self._began = time.monotonic()
        chosen = children(self.ports, self._tools(), self._root, self.data, isolated=self._isolated)
        load_manifests(self._root / "functions")
        self._refuse_taken_ports()
        prepare(self.ports, self.data)
        self._children = {one.name: one for one in chosen if self._only is None or one.name in self._only}
        for name in self._children:
            self.log_file(name).unlink(missing_ok=True)
        try:
            self._start_guardian()
            self._start_children()
        except BaseException:  # also KeyboardInterrupt: nothing may survive a start that did not finish
            self.stop()
            raise

    def stop(self) -> None:
        """End all children, last started first, and return when they are gone. Doing it again changes nothing."""
        stopping = list(reversed(self._processes.items()))
        for _, process in stopping:
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for name, process in stopping:
            self._wait_gone(process, deadline)
            self._forget(name)
            self._report(name, State.STOPPED)
        if self._guardian is not None:
            _pipe(self._guardian).close()
            self._guardian.wait()
            self._guardian = None

    def kill(self, name: str) -> None:
        """End one child at once, with no chance to tidy up, as a crash would."""
        process = self._processes[name]
        _signal_group(process, signal.SIGKILL)
        process.wait()
        self._forget(name)
        self._report(name, State.STOPPED)

    def restart(self, name: str) -> None:
        """Start a child that was killed or ended, and return when it is ready."""
        if name in self._processes:
            self.kill(name)
        self._spawn(self._children[name])
        self._wait_ready({name})

    def pause(self, name: str) -> None:
        """Let one child do nothing at all until `resume`, as a machine that hangs; its connections stay open."""
        _signal_group(self._processes[name], signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused child go on. Of one that runs, nothing changes."""
        _signal_group(self._processes[name], signal.SIGCONT)

    def pid(self, name: str) -> int:
        """The process at the head of a child's group."""
        return self._processes[name].pid

    def ended(self) -> tuple[str, ...]:
        """Return the children that ended by themselves since they were ready."""
        return tuple(name for name, process in self._processes.items() if process.poll() is not None)

    def memory(self) -> dict[str, Memory]:
        """Return memory by child, and "total"."""
        return memory_of({name: process.pid for name, process in self._processes.items()})

    def log_file(self, name: str) -> Path:
        """Where the output of a child goes."""
        return self.data / "logs" / f"{name}.log"

    def _refuse_taken_ports(self) -> None:
        for name, port in self.ports.by_name():
            if not is_free(port):
                raise StartError(f"port {port} for {name} is taken by {holder(port)}: stop it, then start again")

    def _start_guardian(self) -> None:
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def _start_children(self) -> None:
        waiting, ready = dict(self._children), set[str]()
        while waiting:
            for name in [name for name, child in waiting.items() if ready >= self._here(child.after)]:
                self._spawn(waiting.pop(name))
            ready |= self._wait_ready(set(self._processes) - ready, until_any=bool(waiting))

    def _here(self, names: tuple[str, ...]) -> set[str]:
        """Leave out what `only` left out."""
        return self._children.keys() & set(names)

    def _spawn(self, child: Child) -> None:
        self._report(child.name, State.STARTING)
        with self.log_file(child.name).open("ab") as log:
            process = subprocess.Popen(
                child.command,
                cwd=_HERE,
                env=self._child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[child.name] = process
        self._tell_guardian(f"+{process.pid}")

    def _child_environment(self) -> dict[str, str]:
        ours = {**os.environ, **self.environment, **_NO_PROXY}
        ours.pop(
            "PYTHONDONTWRITEBYTECODE", None
        )  # without bytecode every start compiles all packages: 5 s instead of 2.5
        return ours

    def _wait_ready(self, names: set[str], *, until_any: bool = False) -> set[str]:
        """Wait for all of `names`, or for the first of them; return those that are ready."""
        ready: set[str] = set()
        deadline = time.monotonic() + READY_WITHIN_S
        while names - ready and not (until_any and ready):
            for name in names - ready:
                if self._is_ready(self._children[name]):
                    ready.add(name)
                    self._report(name, State.READY)
            if time.monotonic() > deadline:
                silent = min(names - ready)
                self._report(silent, State.FAILED)
                raise StartError(f"{silent} is not ready after {READY_WITHIN_S:.0f} s: see {self.log_file(silent)}")
            time.sleep(_LOOK_EVERY_S)
        return ready

    def _is_ready(self, child: Child) -> bool:
        code = self._processes[child.name].poll()
        if code is not None and (code or child.ready):
            self._report(child.name, State.FAILED)
            raise StartError(f"{child.name} ended with code {code}: {self._last_line(child.name)}")
        if child.ready is None:
            if code == 0:
                self._forget(child.name)
            return code == 0
        return _answers(child.ready)

    def _wait_gone(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        _signal_group(process, signal.SIGKILL)  # also what outlived the head of its group
        process.wait()

    def _forget(self, name: str) -> None:
        process = self._processes.pop(name)
        self._tell_guardian(f"-{process.pid}")

    def _tell_guardian(self, line: str) -> None:
        if self._guardian is not None:
            pipe = _pipe(self._guardian)
            pipe.write(line + "\n")
            pipe.flush()

    def _last_line(self, name: str) -> str:
        lines = self.log_file(name).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"see {self.log_file(name)}"

    def _report(self, name: str, state: State) -> None:
        self._on_progress(Step(name, state, round(time.monotonic() - self._began, 2)))


def _answers(ready: Readiness) -> bool:
    """Tell whether the child answers; asked directly, whatever proxy the environment names."""
    connection = HTTPConnection(HOST, ready.port, timeout=1.0)
    try:
        connection.request("GET", ready.path)
        return connection.getresponse().status < HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _pipe(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdin is None:
        raise ValueError("the process was started without a pipe")
    return process.stdin

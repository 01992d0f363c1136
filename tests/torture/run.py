"""Carry out one proof: its commands as processes of their own, what they say in files, and what that comes to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.counts import Count
from tests.torture.parts import FIGURES, Part

ROOT = Path(__file__).parents[2]
TIDIES_UP_WITHIN_S = 30.0
"""The laptop cloud needs some seconds to end its emulators."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """count: None if nothing could be counted. wrong: a sentence for each reason why this proof failed; none if it did
    not. details: where what it said lies."""

    part: Part
    count: Count | None
    took_s: float
    wrong: tuple[str, ...]
    details: tuple[Path, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.wrong)


def carry_out(part: Part, folder: Path, *, quick: bool) -> Outcome:
    """folder: where files go; those of an earlier run are replaced."""
    if missing := [path for path in part.needs if not (ROOT / path).exists()]:
        return Outcome(part, None, 0.0, tuple(f"{path} does not exist: there is no such proof" for path in missing))
    folder.mkdir(parents=True, exist_ok=True)
    figures = folder / f"{part.key}.json"
    figures.unlink(missing_ok=True)
    commands = part.quick if quick else part.long
    names = [f"{part.key}-{number}" for number in range(1, len(commands) + 1)] if commands[1:] else [part.key]
    details = tuple(folder / f"{name}.txt" for name in names)
    began = time.monotonic()
    codes = _run(
        [[argument.replace(FIGURES, str(figures)) for argument in command] for command in commands],
        details,
        part.limit_s,
    )
    took_s = time.monotonic() - began
    said = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in details)
    count = part.count(said, figures)
    return Outcome(part, count, took_s, _wrong(part, count, codes), details)


def _wrong(part: Part, count: Count | None, codes: Sequence[int | None]) -> tuple[str, ...]:
    found = []
    if any(code is None for code in codes):
        found.append(f"not done after {part.limit_s:.0f} s, and stopped")
    if count is None:
        found.append("said nothing that can be counted")
    elif not count.tried:
        found.append("tried nothing")
    if count and count.failed:
        found.append(f"{count.failed} of {count.tried} {part.unit} failed")
    if bad := sorted({code for code in codes if code}):
        found.append(f"ended with exit code {', '.join(str(code) for code in bad)}")
    return tuple(found)


def _run(commands: Sequence[Sequence[str]], outputs: Sequence[Path], limit_s: float) -> list[int | None]:
    """Exit codes; None for whoever had to be stopped."""
    ends_at = time.monotonic() + limit_s
    processes = [_start(command, output) for command, output in zip(commands, outputs, strict=True)]
    try:
        return [_wait(process, ends_at) for process in processes]
    finally:
        for process in processes:
            _stop(process)


def _start(command: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
    """A process with a group of its own. The order of sets is fixed, as the seeds are."""
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(process: subprocess.Popen[bytes], ends_at: float) -> int | None:
    try:
        return process.wait(timeout=max(0.0, ends_at - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask as Ctrl-C does, so that it ends what it started itself; then insist."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=TIDIES_UP_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

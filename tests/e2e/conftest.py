"""`make run` as a subprocess: what it prints, how it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("ONCE", "ISOLATED", "MBOX", "ICS", "CONTACTS", "ME", "DATA", "PORTS", "SCENE", "GMAIL_QUOTA_UNITS_PER_MINUTE")


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


class Runs:
    """Starts `python -m local.run` with its own folder for data."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._started: list[subprocess.Popen[str]] = []

    def start(self, **variables: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment |= {"PORTS": "free", "DATA": str(self.data), **variables}
        run = subprocess.Popen(
            [sys.executable, "-m", "local.run"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(run)
        return run

    def to_the_end(self, **variables: str) -> Ended:
        run = self.start(**variables)
        out, err = run.communicate()
        return Ended(run.returncode, out, err)

    def left(self) -> list[str]:
        """Commands of processes that still work in this folder."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if str(self.data) in " ".join((*process.cmdline(), *process.environ().values())):
                    found.append(" ".join(process.cmdline())[:120])
        return found

    def end_all(self) -> None:
        for run in self._started:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    ours = Runs(tmp_path / "data")
    yield ours
    ours.end_all()


@pytest.fixture
def once(runs: Runs) -> Callable[..., Ended]:
    """Run to the end with ONCE=1; nothing may be left of it."""

    def run(**variables: str) -> Ended:
        ended = runs.to_the_end(ONCE="1", **variables)
        assert runs.left() == []
        return ended

    return run

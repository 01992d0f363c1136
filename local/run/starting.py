"""Step 1: the laptop cloud comes up before the reader's eyes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cloud.ports import HOST, Ports
from local.cloud.supervisor import State, Step, Supervisor
from local.run.options import QUOTA_VARIABLE, Options
from local.run.screen import Screen

_WHAT = {
    "firestore": "Firestore emulator",
    "pubsub": "Pub/Sub emulator",
    "tasks": "Cloud Tasks",
    "google": "Google: OAuth, Gmail, Calendar",
    "vendors": "DocuSign, QuickBooks, NetSuite",
    "identity": "sign-in",
    "functions": "functions-framework",
    "bridge": "bridge: Pub/Sub pushes, signed",
    "queues": "queues made",
    "scheduler": "scheduler",
}
_PORT = {"vendors": "docusign"}
"""Whose port is shown for a part that has several."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The running laptop cloud."""

    supervisor: Supervisor
    ready_s: float

    @property
    def functions_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.functions}"

    @property
    def google_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.google}"

    @property
    def identity_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.identity}"

    @property
    def docusign_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.docusign}"

    @property
    def quickbooks_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.quickbooks}"

    @property
    def netsuite_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.netsuite}"

    @property
    def scheduler_url(self) -> str:
        return f"http://{HOST}:{self.supervisor.ports.scheduler}"

    @property
    def memory_mib(self) -> float:
        """Of all its processes, shared pages split among them (PSS); RSS where the system does not tell that."""
        total = self.supervisor.memory()["total"]
        return total.pss_mib or total.rss_mib


@contextmanager
def running_cloud(options: Options, data: Path, screen: Screen) -> Iterator[Cloud]:
    """Start everything, one line each; stop everything when the block ends, however it ends.

    Raises: MissingToolError, ManifestError, StartError.
    """
    telling = _Telling(screen, options.ports)
    root = Path(__file__).resolve().parents[2]
    supervisor = Supervisor(options.ports, data, root=root, isolated=options.isolated, on_progress=telling.step)
    supervisor.environment[QUOTA_VARIABLE] = str(options.quota_units_per_minute)
    os.environ.update(supervisor.environment)  # this process reads the store as the functions do
    os.environ.update({"NO_PROXY": HOST, "no_proxy": HOST})
    began = time.monotonic()
    with supervisor:
        cloud = Cloud(supervisor, time.monotonic() - began)
        telling.starting = False
        screen.done(f"ready in {cloud.ready_s:.1f} s", f"{cloud.memory_mib:.0f} MB in all processes together")
        yield cloud


class _Telling:
    """One line for each part that is ready; stopping at the end is told elsewhere."""

    def __init__(self, screen: Screen, ports: Ports) -> None:
        self._screen = screen
        self._ports = dict(ports.by_name())
        self.starting = True

    def step(self, step: Step) -> None:
        if step.state is not State.READY or not self.starting:
            return
        port = str(self._ports.get(_PORT.get(step.name, step.name), ""))
        self._screen.done(f"{_WHAT.get(step.name, step.name):<34}{port:>6}{step.elapsed_s:7.1f} s")

"""A small project that is deployed to a Google Cloud of fake programs and one HTTP server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from infra.deploy.checks import NEEDED_PERMISSIONS, needed_services
from infra.deploy.cloud import RESOURCE_MANAGER, SERVICE_USAGE, Cloud
from infra.deploy.commands import SystemCommands
from infra.deploy.http import WebHttp
from infra.deploy.steps import World, applied, planned
from infra.deploy.target import Target
from tests.infra.fake_programs import install

ROOT = Path(__file__).parents[2]
PROJECT, REGION = "acme-crm", "europe-west1"
BUCKET = f"{PROJECT}-throughline-state"
MAIN = """
import functions_framework
from flask import Request


@functions_framework.http
def {name}(request: Request) -> str:
    return {says!r}
"""


@dataclass
class Served:
    """What the HTTP server answers with. permissions: those that the caller holds.

    broken: whether note_keep, as it is deployed at this moment, fails.
    """

    statuses: dict[str, int] = field(default_factory=lambda: {"note_keep": 200, "note_sync": 403})
    permissions: list[str] = field(default_factory=lambda: list(NEEDED_PERMISSIONS))
    cpu: str | None = "200000"
    broken: Callable[[], bool] = lambda: False

    def status(self, function: str) -> int:
        return 500 if function == "note_keep" and self.broken() else self.statuses[function]


class Stage:
    """The fake world, the small project, and what the deploy said."""

    def __init__(self, folder: Path, base_url: str, served: Served) -> None:
        self.served = served
        self.said: list[str] = []
        self.project = _small_project(folder / "project")
        self._folder, self._base_url = folder, base_url
        self._file = folder / "world.json"
        (folder / "buckets").mkdir()
        world = {
            "calls": [],
            "fails": [],
            "applied": [],
            "changes": [_change("google_pubsub_topic.of", ["create"])],
            "billing": {"billingEnabled": True, "billingAccountName": "billingAccounts/A1"},
            "services": sorted(needed_services(ROOT)),
            "databases": [],
            "domains": ["example.com"],
            "terraform_version": "1.11.4",
            "buckets": str(folder / "buckets"),
            "base_url": base_url,
        }
        self._file.write_text(json.dumps(world))
        self._environment = install(folder / "bin", self._file)

    def __getitem__(self, name: str) -> Any:
        return json.loads(self._file.read_text())[name]

    def __setitem__(self, name: str, value: object) -> None:
        self._file.write_text(json.dumps({**json.loads(self._file.read_text()), name: value}))

    def world(self, target: Target | None = None, *, schema: dict[str, int] | None = None) -> World:
        commands, http = SystemCommands(self._environment), WebHttp()
        roots = {RESOURCE_MANAGER: self._base_url, SERVICE_USAGE: self._base_url}
        return World(
            target=target or Target(PROJECT, REGION, "staging"),
            root=self.project,
            build=self._folder / "build",
            commands=commands,
            http=http,
            cloud=Cloud(PROJECT, commands, http, roots),
            schema=schema or {"Contact": 1},
            say=self.said.append,
            wait=lambda _: None,
        )

    def deploy(self, target: Target | None = None, *, schema: dict[str, int] | None = None) -> str:
        """What `make deploy` does, everything approved; returns the release."""
        world = self.world(target, schema=schema)
        release, _ = planned(world)
        applied(world, release)
        return release

    def change_the_code(self, says: str) -> None:
        main = self.project / "functions" / "note_keep" / "main.py"
        main.write_text(MAIN.format(name="note_keep", says=says))

    def fail_once(self, call: str, said: str) -> None:
        self["fails"] = [*self["fails"], [call, said]]

    def kept(self, name: str) -> Any:
        """A JSON object of the state bucket."""
        return json.loads((self._folder / "buckets" / BUCKET / "releases" / name).read_text())

    def put(self, name: str, content: str) -> None:
        """An object into the state bucket."""
        file = self._folder / "buckets" / BUCKET / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def called(self, words: str) -> bool:
        return any(words in " ".join(call) for call in self["calls"])


def _change(address: str, actions: list[str]) -> dict[str, Any]:
    return {"address": address, "type": address.partition(".")[0], "change": {"actions": actions}}


def _small_project(root: Path) -> Path:
    """Two functions, and the terraform sources as they are."""
    shutil.copytree(ROOT / "infra", root / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__", ".terraform"))
    for name in ("note_keep", "note_sync"):
        (root / "functions" / name).mkdir(parents=True)
        (root / "functions" / name / "main.py").write_text(MAIN.format(name=name, says="first"))
        (root / "functions" / name / "function.yaml").write_text("trigger: http\nmin_instances: 60\nproviders: []\n")
    (root / "shared").mkdir()
    for name in ("requirements.txt", "firestore.rules", "firestore.indexes.json"):
        shutil.copy(ROOT / name, root)
    return root


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    served = Served()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Stage(folder, f"http://127.0.0.1:{server.server_port}", served)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.endswith(":testIamPermissions"):
                held = [one for one in json.loads(body)["permissions"] if one in served.permissions]
                self._answer(200, {"permissions": held})
            else:
                self._answer(served.status(self.path.strip("/")), {})

        def do_GET(self) -> None:
            bucket = {"effectiveLimit": served.cpu, "dimensions": {"region": REGION}}
            limits = [{"quotaBuckets": [{"effectiveLimit": "-1"}, *([bucket] if served.cpu else [])]}]
            self._answer(
                200, {"metrics": [{"metric": "run.googleapis.com/cpu_allocation", "consumerQuotaLimits": limits}]}
            )

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Nothing: pytest's output is for failures."""

    return Handler

"""The processes of the laptop cloud: how each is started and when it counts as ready."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from local.cloud.environment import registered_clients_file, registrations_file, signing_key_file
from local.cloud.ports import HOST, Ports
from local.cloud.requirements_check import Tools

# Limits, not what is taken: with 256 MiB the Firestore emulator dies with an unexplained "Unknown", and 20,000 mails of
# an own export need more than 1 GiB.
_FIRESTORE_HEAP = "-Xmx3g"
_PUBSUB_HEAP = "-Xmx512m"
# A small young generation keeps both small: by default it is cut from the machine's memory, and filled before it is
# ever swept. That saves 150 MB of the sample run and costs no time that can be measured.
_QUICK_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms32m", "-Xmn24m")
_FIRESTORE_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Ready when a GET on loopback is answered below 500."""

    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Child:
    """One process; without `ready` it is one that ends, and has done its work when it ends with code 0."""

    name: str
    command: tuple[str, ...]
    ready: Readiness | None
    after: tuple[str, ...] = ()


def children(ports: Ports, tools: Tools, root: Path, data: Path, *, isolated: bool = False) -> tuple[Child, ...]:
    """Return all processes; those without `after` start at once, side by side.

    Args:
        root: the project, with functions/ and firestore.rules.
        data: folder that keeps everything between runs.
        isolated: one process per function, from its bundle.
    """
    key, functions = str(signing_key_file(data)), str(root / "functions")
    rules = root / "firestore.rules"
    return (
        Child(
            "firestore",
            (
                *(str(tools.java), "-Duser.language=en", *_QUICK_JVM, _FIRESTORE_HEAP),
                *("-cp", str(tools.firestore_jar), _FIRESTORE_CLASS, f"--host={HOST}", f"--port={ports.firestore}"),
                *((f"--rules={rules}",) if rules.exists() else ()),
            ),
            Readiness(ports.firestore, "/"),
        ),
        Child(
            "pubsub",
            (
                *(str(tools.java), *_QUICK_JVM, _PUBSUB_HEAP),
                *("-jar", str(tools.pubsub_jar), f"--host={HOST}", f"--port={ports.pubsub}"),
            ),
            Readiness(ports.pubsub, "/"),
        ),
        Child(
            "tasks",
            _python("local.tasks", port=ports.tasks, data=data / "tasks", key=key),
            Readiness(ports.tasks_admin, "/healthz"),
        ),
        Child(
            "google",
            _python("local.google", port=ports.google, data=data / "google", clients=registered_clients_file(data)),
            Readiness(ports.google, "/"),
        ),
        Child(
            "vendors",
            _python(
                "local.cloud.vendors",
                docusign=ports.docusign,
                quickbooks=ports.quickbooks,
                netsuite=ports.netsuite,
                data=data,
                registrations=registrations_file(data),
            ),
            Readiness(ports.netsuite, "/"),  # which opens last
        ),
        Child(
            "identity",
            _python("local.identity", port=ports.identity, data=data, key=key),
            Readiness(ports.identity, "/healthz"),
        ),
        Child(
            "functions",
            (
                *_python("local.functions_server", port=ports.functions, root=root, data=data),
                *(("--isolated",) if isolated else ()),
            ),
            Readiness(ports.functions, "/healthz"),
        ),
        Child(
            "bridge",
            _python("local.bridge", port=ports.bridge, functions=functions, key=key),
            Readiness(ports.bridge, "/healthz"),
        ),
        Child("queues", _python("local.cloud.queues", functions=functions), None),
        Child(
            "scheduler",
            _python("local.scheduler", port=ports.scheduler, functions=functions, key=key),
            Readiness(ports.scheduler, "/healthz"),
            after=("functions", "queues"),  # its first jobs find everything there
        ),
    )


def _python(module: str, **options: object) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *(f"--{name}={value}" for name, value in options.items()))

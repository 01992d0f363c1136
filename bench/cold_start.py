"""Cold start of every function: process start to first answer, beside its floor and beside a vendor's sample.

The floor is the framework and the Google clients that the function's first answer cannot do without, each with one call
to the laptop cloud; everything above it is ours. The vendor-sample baseline imports and builds all clients up front, as
sample code does.
"""

from __future__ import annotations

import compileall
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.cloud import ROOT, BenchCloud, running_cloud
from bench.import_budget import read_budget
from bench.processes import compiled_bundle, first_answer_s
from bench.report import Aim, Figure, Report
from bench.trivial_requests import TrivialRequest, prepare, request_for
from local.cloud.manifests import load_manifests

ABOVE_FLOOR_MS = 60.0
RUNS = 5
QUICK = ("gmail_push", "message_ingest", "timeline_read")

_PROGRAM = '''"""{title}"""

import os

import functions_framework
{top}

@functions_framework.http
def {name}(request):
{body}
    return "", 204
'''

_CALLS = {
    "google.cloud.firestore": """
    from google.cloud import firestore
    firestore.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"]).document("floor/none").get()
""",
    "google.cloud.tasks_v2": """
    import grpc
    from google.cloud import tasks_v2
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
    channel = grpc.insecure_channel(os.environ["CLOUD_TASKS_EMULATOR_HOST"])
    tasks = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    parent = f"projects/{os.environ['GOOGLE_CLOUD_PROJECT']}/locations/{os.environ['TASKS_LOCATION']}"
    list(tasks.list_queues(parent=parent))
""",
    "googleapiclient": """
    import json
    from googleapiclient.discovery import build_from_document
    with open("gmail.v1.json") as document:
        build_from_document(json.load(document), developerKey="none")
""",
}
"""One client each: imported, built, and asked once where there is something to ask."""

_DOCUMENT = ROOT / "shared" / "providers" / "google" / "discovery" / "gmail.v1.json"

_EAGER = """
import grpc
from google.cloud import firestore, kms_v1, pubsub_v1, tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from googleapiclient.discovery import build

database = firestore.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"])
publisher = pubsub_v1.PublisherClient()
tasks = tasks_v2.CloudTasksClient(
    transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel(os.environ["CLOUD_TASKS_EMULATOR_HOST"]))
)
gmail = build("gmail", "v1", developerKey="none")
calendar = build("calendar", "v3", developerKey="none")
"""
_EAGER_BODY = '    database.document("floor/none").get()'


def run(*, quick: bool) -> Report:
    """Median of 5 starts of each, taken in turns so that a busy moment hits all alike."""
    with running_cloud() as cloud, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        prepare(cloud)
        return _measure(cloud, Path(folder), QUICK if quick else None)


def _measure(cloud: BenchCloud, folder: Path, only: Sequence[str] | None) -> Report:
    manifests = [one for one in load_manifests(ROOT / "functions") if only is None or one.name in only]
    budget = read_budget()
    clients = {one.name: tuple(part for part in _CALLS if part in budget.first_answer[one.name]) for one in manifests}
    plain = TrivialRequest("GET")
    starts: dict[str, tuple[Path, str, TrivialRequest]] = {"eager": (_eager(folder), "eager", plain)}
    for parts in sorted(set(clients.values())):
        starts[_floor_name(parts)] = (_floor(folder, parts), "floor", plain)
    for manifest in manifests:
        bundle = compiled_bundle(ROOT, manifest.name, folder / "bundles")
        starts[manifest.name] = (bundle, manifest.name, request_for(manifest, cloud))
    taken: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(RUNS):
        for name, (place, target, request) in starts.items():
            taken[name].append(first_answer_s(place, target, request, cloud.supervisor.environment) * 1000)
    medians = {name: median(times) for name, times in taken.items()}
    floors = {manifest.name: medians[_floor_name(clients[manifest.name])] for manifest in manifests}
    figures = [
        Figure(f"floor: {name.removeprefix('floor ')}", medians[name], "ms") for name in starts if "floor" in name
    ]
    figures.append(Figure("vendor sample, everything imported", medians["eager"], "ms"))
    figures += [
        Figure(
            f"{name} above its floor",
            medians[name] - floors[name],
            "ms",
            Aim(ABOVE_FLOOR_MS),
            f"{medians[name]:.0f} ms, floor {floors[name]:.0f}",
        )
        for name in clients
    ]
    note = f"Medians of {RUNS}; process start to first answer, bytecode compiled, all on this machine's processors."
    return Report("cold_start", tuple(figures), (note,))


def _floor_name(parts: Sequence[str]) -> str:
    return "floor " + " + ".join(["framework", *(part.removeprefix("google.cloud.") for part in parts)])


def _floor(folder: Path, parts: Sequence[str]) -> Path:
    return _program(folder / _floor_name(parts).replace(" ", "-"), "floor", "", "".join(_CALLS[part] for part in parts))


def _eager(folder: Path) -> Path:
    return _program(folder / "eager", "eager", _EAGER, _EAGER_BODY)


def _program(place: Path, name: str, top: str, body: str) -> Path:
    place.mkdir()
    shutil.copy(_DOCUMENT, place)
    (place / "main.py").write_text(_PROGRAM.format(title=f"A program to compare with: {name}.", top=top, name=name, body=body))
    compileall.compile_dir(place, quiet=2)
    return place

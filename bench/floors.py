"""Programs to compare a cold start with: the floor of a function, and what a vendor's sample would be.

A floor is the framework and some of Google's clients, each built and asked once when the first request comes; the
sample imports and builds all clients up front, as sample code does.
"""

from __future__ import annotations

import compileall
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.cloud import ROOT

_PROGRAM = '''"""{title}"""

import os

import functions_framework
{top}

@functions_framework.http
def {name}(request):
{body}
    return "", 204
'''

CALLS = {
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
    "google.pubsub_v1": """
    import grpc
    from google.pubsub_v1 import PublisherClient, SubscriberClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
    host = os.environ["PUBSUB_EMULATOR_HOST"]
    PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(host)))
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(host)))
    list(subscriber.list_subscriptions(project=f"projects/{os.environ['GOOGLE_CLOUD_PROJECT']}"))
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


def floor_name(parts: Sequence[str]) -> str:
    return " + ".join(["framework", *(part.removeprefix("google.cloud.") for part in parts)])


def floor_program(parts: Sequence[str], into: Path) -> Path:
    """A folder with main.py, whose function is `floor`. parts: keys of CALLS."""
    name = floor_name(parts).replace(" ", "")
    return _program(into / name, "floor", "", "".join(CALLS[part] for part in parts))


def eager_program(into: Path) -> Path:
    """A folder with main.py, whose function is `eager`."""
    return _program(into / "eager", "eager", _EAGER, _EAGER_BODY)


def _program(place: Path, name: str, top: str, body: str) -> Path:
    place.mkdir()
    shutil.copy(_DOCUMENT, place)
    (place / "main.py").write_text(
        _PROGRAM.format(title=f"A program to compare with: {name}.", top=top, name=name, body=body)
    )
    compileall.compile_dir(place, quiet=2)
    return place

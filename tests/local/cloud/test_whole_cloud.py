"""The whole laptop cloud, with Google's emulators: each of Google's callers reaches its function with a valid token."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy

import grpc
import pytest
import urllib3
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.tasks_v2 import CloudTasksClient, HttpRequest, OidcToken, Queue, Task
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.cloud.environment import CALLER, TASKS_LOCATION
from local.cloud.ports import PROJECT, Ports
from local.cloud.supervisor import State, Step, Supervisor

pytestmark = pytest.mark.emulator
ROOT = Path(__file__).parents[3]
WITHIN_S = 20.0
PARENT = f"projects/{PROJECT}/locations/{TASKS_LOCATION}"
PARTS = {"firestore", "pubsub", "tasks", "google", "vendors", "identity", "functions", "bridge", "scheduler"}

# Each function checks its caller's token as the product does, then leaves a line for the test.
FUNCTION = """
import os
from pathlib import Path

import functions_framework
from google.auth.transport.requests import Request
from google.oauth2 import id_token


@functions_framework.http
def {name}(request):
    audience = os.environ["FUNCTIONS_BASE_URL"] + "/{name}"
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims = id_token.verify_token(token, Request(), audience=audience, certs_url=os.environ["OIDC_CERTS_URL"])
    with Path("{heard}").open("a") as file:
        file.write("{name} " + claims["email"] + chr(10))
    return "", 204
"""
MANIFEST = """
trigger: {trigger}
public: false
memory: 256Mi
timeout_s: 60
concurrency: 20
min_instances: 0
providers: all
owner: platform
uses: {{queues: [later]}}
"""
TRIGGERS = {
    "hint_push": "push\ntopic: hints",
    "hint_sync": "task\nqueue: hint-sync\nqueue_settings: {rate_per_s: 5, max_attempts: 7}",
    "hint_renewal": 'schedule\nschedule: "0 3 * * *"',
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heard") / "calls"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, heard: Path) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name, trigger in TRIGGERS.items():
        folder = root / "functions" / name
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(FUNCTION.format(name=name, heard=heard))
        (folder / "function.yaml").write_text(MANIFEST.format(trigger=trigger))
    (root / "shared").mkdir()
    copy(ROOT / "requirements.txt", root)
    return root


@pytest.fixture(scope="module", params=[False, True], ids=["one process", "isolated"])
def cloud(
    request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supervisor]:
    steps: list[Step] = []
    data = tmp_path_factory.mktemp("data")
    with Supervisor(Ports.free(), data, root=project, isolated=request.param, on_progress=steps.append) as supervisor:
        assert {step.name for step in steps if step.state is State.READY} == PARTS | {"queues"}
        yield supervisor


@pytest.fixture
def called(heard: Path) -> Callable[[str], bool]:
    """Wait until a function was called with a token of the right caller."""
    heard.write_text("")

    def wait_for(name: str) -> bool:
        deadline = time.monotonic() + WITHIN_S
        while f"{name} {CALLER}\n" not in heard.read_text():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    return wait_for


@pytest.fixture
def tasks(cloud: Supervisor) -> Iterator[CloudTasksClient]:
    channel = grpc.insecure_channel(cloud.environment["CLOUD_TASKS_EMULATOR_HOST"])
    yield CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    channel.close()


def test_published_message_is_pushed(
    cloud: Supervisor, called: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", cloud.environment["PUBSUB_EMULATOR_HOST"])
    with PublisherClient() as publisher:
        publisher.publish(publisher.topic_path(PROJECT, "hints"), b"hint").result(timeout=WITHIN_S)

    assert called("hint_push")


def test_created_task_is_sent(cloud: Supervisor, called: Callable[[str], bool], tasks: CloudTasksClient) -> None:
    url = f"{cloud.environment['FUNCTIONS_BASE_URL']}/hint_sync"
    token = OidcToken(service_account_email=CALLER, audience=url)
    task = Task(http_request=HttpRequest(url=url, body=b"{}", oidc_token=token))
    tasks.create_task(parent=f"{PARENT}/queues/hint-sync", task=task)

    assert called("hint_sync")


def test_job_runs_on_demand(cloud: Supervisor, called: Callable[[str], bool]) -> None:
    answer = urllib3.request("POST", f"http://127.0.0.1:{cloud.ports.scheduler}/run?job=hint_renewal")

    assert answer.json()["status"] == 204
    assert called("hint_renewal")


def test_stranger_without_token_reaches_no_function(cloud: Supervisor, heard: Path) -> None:
    heard.write_text("")

    assert urllib3.request("POST", f"{cloud.environment['FUNCTIONS_BASE_URL']}/hint_sync").status == 500
    assert heard.read_text() == ""


def test_queues_have_the_settings_of_their_manifests(tasks: CloudTasksClient) -> None:
    queues: dict[str, Queue] = {queue.name: queue for queue in tasks.list_queues(parent=PARENT)}

    assert set(queues) == {f"{PARENT}/queues/hint-sync", f"{PARENT}/queues/later"}
    sync = queues[f"{PARENT}/queues/hint-sync"]
    assert sync.rate_limits.max_dispatches_per_second == 5
    assert sync.retry_config.max_attempts == 7


def test_google_knows_the_products_client_and_its_redirect(cloud: Supervisor) -> None:
    client = json.loads(Path(cloud.environment["GOOGLE_OAUTH_CLIENT"]).read_text())["web"]

    query = {
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"][0],
        "response_type": "code",
        "scope": "openid",
        "state": "s",
    }
    answer = urllib3.request("GET", client["auth_uri"], fields=query, redirect=False)

    assert answer.status == 200


def test_memory_stays_below_what_a_laptop_has_to_spare(cloud: Supervisor) -> None:
    memory = cloud.memory()

    assert set(memory) == PARTS | {"total"}
    assert memory["total"].pss_mib < 1500

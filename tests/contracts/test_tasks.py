"""What every `Tasks` does: the fake, and Cloud Tasks by the official client against our emulator."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from shared.domain.ids import digest
from shared.platform.clock import SystemClock
from shared.ports.tasks import Task, Tasks
from tests.fakes import FakeTasks

QUEUE = "mailbox-sync"
BASE_URL = "https://crm.example"


@dataclass
class Queues:
    """Tasks under test. queued: what waits in a queue. finish: let one task end as after a 2xx."""

    tasks: Tasks
    queued: Callable[[], list[Task]]
    finish: Callable[[Task], None]


def fake_queues() -> Queues:
    tasks = FakeTasks(SystemClock())
    return Queues(tasks, lambda: tasks.pending(QUEUE), tasks.done)


def emulated_queues(host: str) -> Queues:
    import grpc
    from google.cloud import tasks_v2
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    from shared.platform.cloud_tasks import CloudTasks

    client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel(host)))
    project = f"test-{uuid.uuid4().hex[:12]}"
    location = f"projects/{project}/locations/local-1"
    queue = f"{location}/queues/{QUEUE}"
    client.create_queue(parent=location, queue=tasks_v2.Queue(name=queue))
    client.pause_queue(name=queue)

    def queued() -> list[Task]:
        request = tasks_v2.ListTasksRequest(parent=queue, response_view=tasks_v2.Task.View.FULL)
        return [
            Task(
                QUEUE,
                task.http_request.url.removeprefix(f"{BASE_URL}/"),
                task.name.rsplit("/", 1)[1],
                json.loads(task.http_request.body),
                datetime.fromisoformat(task.schedule_time.isoformat()),
            )
            for task in client.list_tasks(request)
        ]

    tasks = CloudTasks(
        project=project,
        location="local-1",
        function_url=lambda function: f"{BASE_URL}/{function}",
        service_account="functions@crm.iam.example",
        emulator_host=host,
    )
    return Queues(tasks, queued, lambda task: client.delete_task(name=f"{queue}/tasks/{task.name}"))


@pytest.fixture(params=["fake", "emulator"])
def queues(request: pytest.FixtureRequest) -> Queues:
    return fake_queues() if request.param == "fake" else emulated_queues(request.getfixturevalue("tasks_host"))


def sync(mailbox: str, not_before: datetime | None = None) -> Task:
    return Task(QUEUE, "mailbox_sync", digest(QUEUE, mailbox), {"mailbox": mailbox}, not_before)


def mailboxes(queues: Queues) -> list[str]:
    return sorted(task.payload["mailbox"] for task in queues.queued())


def test_a_task_waits_in_its_queue_for_its_function(queues: Queues) -> None:
    at = SystemClock().now() + timedelta(hours=1)
    queues.tasks.create([sync("m1", at)])
    assert queues.queued() == [sync("m1", at)]


def test_a_task_with_a_name_that_waits_already_is_no_second_one(queues: Queues) -> None:
    queues.tasks.create([sync("m1")])
    queues.tasks.create([sync("m1"), sync("m2")])
    assert mailboxes(queues) == ["m1", "m2"]


def test_the_name_of_a_task_just_done_is_still_taken(queues: Queues) -> None:
    queues.tasks.create([sync("m1")])
    queues.finish(sync("m1"))
    queues.tasks.create([sync("m1")])
    assert mailboxes(queues) == []


def test_many_tasks_are_created_at_once(queues: Queues) -> None:
    names = sorted(f"m{number}" for number in range(40))
    queues.tasks.create([sync(name) for name in names])
    assert mailboxes(queues) == names


def test_no_tasks_are_no_work(queues: Queues) -> None:
    queues.tasks.create([])
    assert queues.queued() == []


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(Task(QUEUE, "f", "n", {"text": "x" * 102_400}), id="too large"),
        pytest.param(Task(QUEUE, "f", "not a name", {}), id="a name with spaces"),
        pytest.param(Task(QUEUE, "f", "n", {}, datetime(2026, 3, 2)), id="a time without a zone"),  # noqa: DTZ001
    ],
)
def test_tasks_that_no_queue_takes_are_refused_with_all_beside_them(queues: Queues, task: Task) -> None:
    with pytest.raises(ValueError, match="task"):
        queues.tasks.create([sync("m1"), task])
    assert queues.queued() == []

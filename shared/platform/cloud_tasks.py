"""The `Tasks` port on Cloud Tasks: named HTTP tasks that carry an OIDC token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from shared import log
from shared.errors import ProviderUnavailableError
from shared.ports.tasks import Task

if TYPE_CHECKING:
    from google.cloud import tasks_v2

LIMIT_BYTES = 100 * 1024
AT_ONCE = 8
_NAME = re.compile(r"[A-Za-z0-9_-]{1,500}")
_TIMEOUT_S = 10.0


def checked_body(task: Task) -> bytes:
    """The JSON a task carries. Raises: ValueError for a task that no queue takes, which is our bug."""
    body = json.dumps(task.payload, separators=(",", ":")).encode()
    if len(body) >= LIMIT_BYTES:
        raise ValueError(f"task {task.name} is over {LIMIT_BYTES} bytes")
    if not _NAME.fullmatch(task.name):
        raise ValueError(f"{task.name!r} is not the name of a task")
    if task.not_before is not None and task.not_before.tzinfo is None:
        raise ValueError(f"task {task.name} has a time without a zone")
    return body


class CloudTasks:
    """The queues of one project and region.

    function_url: function name -> its URL, which is the audience of the token too.
    service_account: email of the account whose token the tasks carry.
    emulator_host: "host:port" of an emulator; None for Google's service.
    """

    def __init__(
        self,
        *,
        project: str,
        location: str,
        function_url: Callable[[str], str],
        service_account: str,
        emulator_host: str | None = None,
    ) -> None:
        self._queues = f"projects/{project}/locations/{location}/queues/"
        self._function_url = function_url
        self._service_account = service_account
        self._emulator_host = emulator_host

    def create(self, tasks: Sequence[Task]) -> None:
        """Queue them, a few at once.

        Raises: ProviderUnavailableError (some may be queued); ValueError for a task that no queue takes.
        Source: cloudtasks.v2 projects.locations.queues.tasks.create.
        """
        requests = [self._request(task) for task in tasks]
        if len(requests) <= 1:
            for request in requests:
                self._create(request)
            return
        with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(requests))) as pool:
            # Every one is tried, so that an outage of a moment costs as few repeats as it can.
            answers = [pool.submit(self._create, request) for request in requests]
        for answer in answers:
            answer.result()

    def _create(self, request: tasks_v2.CreateTaskRequest) -> None:
        from google.api_core import exceptions as google

        try:
            self._client.create_task(request, retry=None, timeout=_TIMEOUT_S)
        except google.AlreadyExists:
            return
        except (google.ServerError, google.Cancelled, google.Aborted, google.TooManyRequests) as error:
            raise ProviderUnavailableError(f"Cloud Tasks: {type(error).__name__}") from error

    def _request(self, task: Task) -> tasks_v2.CreateTaskRequest:
        from google.cloud import tasks_v2

        body = checked_body(task)
        url = self._function_url(task.function)
        headers = {"Content-Type": "application/json"}
        if traceparent := log.traceparent():
            headers["traceparent"] = traceparent
        parent = self._queues + task.queue
        return tasks_v2.CreateTaskRequest(
            parent=parent,
            task=tasks_v2.Task(
                name=f"{parent}/tasks/{task.name}",
                schedule_time=task.not_before,
                http_request=tasks_v2.HttpRequest(
                    http_method=tasks_v2.HttpMethod.POST,
                    url=url,
                    headers=headers,
                    body=body,
                    oidc_token=tasks_v2.OidcToken(service_account_email=self._service_account, audience=url),
                ),
            ),
        )

    @cached_property
    def _client(self) -> tasks_v2.CloudTasksClient:
        from google.cloud import tasks_v2

        if self._emulator_host is None:
            return tasks_v2.CloudTasksClient()
        import grpc
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

        channel = grpc.insecure_channel(self._emulator_host)
        return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))

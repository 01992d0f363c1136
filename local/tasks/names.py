"""Resource names of Cloud Tasks, and which of them are allowed. Source: cloudtasks.v2 Queue.name and Task.name."""

from __future__ import annotations

import re

from local.tasks.values import InvalidArgumentError

QUEUE_FORMAT = "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>"

_LOCATION = r"projects/[A-Za-z0-9.:-]+/locations/[A-Za-z0-9-]+"
_QUEUE = re.compile(rf"{_LOCATION}/queues/[A-Za-z0-9-]{{1,100}}")
_TASK = re.compile(rf"{_LOCATION}/queues/[A-Za-z0-9-]{{1,100}}/tasks/[A-Za-z0-9_-]{{1,500}}")


def check_queue_name(name: str) -> None:
    """Raise InvalidArgumentError unless `name` is a full queue name."""
    if not _QUEUE.fullmatch(name):
        raise InvalidArgumentError(f'Queue name must be formatted: "{QUEUE_FORMAT}"')


def check_task_name(name: str) -> None:
    """Raise InvalidArgumentError unless `name` is a full task name."""
    if not _TASK.fullmatch(name):
        raise InvalidArgumentError(f'Task name must be formatted: "{QUEUE_FORMAT}/tasks/<TASK_ID>"')


def queue_of(task_name: str) -> str:
    """Return the queue part of a task name."""
    return task_name.partition("/tasks/")[0]


def short(name: str) -> str:
    """Return the id at the end of a resource name."""
    return name.rpartition("/")[2]

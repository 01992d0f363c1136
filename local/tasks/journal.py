"""What the model tells whoever keeps its state, and what it gets back after a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from local.tasks.values import QueueSettings, Task


@dataclass(slots=True)
class SavedQueue:
    """A queue as a journal gives it back after a restart. ended: task name -> when it was executed or deleted."""

    settings: QueueSettings
    paused: bool = False
    purged_at: datetime | None = None
    tasks: dict[str, Task] = field(default_factory=dict)
    ended: dict[str, datetime] = field(default_factory=dict)


class Journal(Protocol):
    """Hears of every change that must outlive the process."""

    def queue_saved(self, queue: SavedQueue) -> None:
        """The queue is new, or its settings, pause or purge changed."""

    def queue_deleted(self, name: str) -> None:
        """The queue is gone, with its tasks and tombstones."""

    def task_added(self, task: Task) -> None:
        """The task is new."""

    def task_moved(self, task: Task) -> None:
        """The task's progress changed."""

    def task_ended(self, task: Task, at: datetime) -> None:
        """The task is gone and its name is blocked from now on."""

    def tombstones_dropped(self, queue: str, before: datetime) -> None:
        """Names that ended before that time are free again."""


class NoJournal:
    """For simulations: nothing outlives them."""

    def queue_saved(self, queue: SavedQueue) -> None:
        """Forget."""

    def queue_deleted(self, name: str) -> None:
        """Forget."""

    def task_added(self, task: Task) -> None:
        """Forget."""

    def task_moved(self, task: Task) -> None:
        """Forget."""

    def task_ended(self, task: Task, at: datetime) -> None:
        """Forget."""

    def tombstones_dropped(self, queue: str, before: datetime) -> None:
        """Forget."""

"""Work for later: one call of a function, queued by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """One call of a function, later. `name` is the SHA-256 of what makes the work new: a repeat is not a new task.

    payload: JSON, ids only, under 100 KB. not_before: aware UTC, at most 30 days ahead.
    """

    queue: str
    function: str
    name: str
    payload: Mapping[str, Any]
    not_before: datetime | None = None


class Tasks(Protocol):
    def create(self, tasks: Sequence[Task]) -> None:
        """Queue them; one whose name exists is there already, which is success.

        Raises: ProviderUnavailableError (some may be queued: repeating is safe).
        """
        ...

"""Topics and the subscriptions that push from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from shared.ports.marks import reads


class Publisher(Protocol):
    def publish(self, topic: str, payload: Mapping[str, Any], attributes: Mapping[str, str] | None = None) -> None:
        """Publish JSON to a topic of our project by its short name; returns once Pub/Sub has it."""
        ...


class Subscriptions(Protocol):
    """The push subscriptions of our project."""

    @reads
    def lives_for(self, name: str) -> timedelta | None:
        """How long it may be idle before Pub/Sub deletes it: None for ever, zero for one that is not there."""
        ...

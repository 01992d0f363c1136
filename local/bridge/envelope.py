"""What Pub/Sub push sends: the body of one request, its headers, and which answers count as an acknowledgement.

Source: cloud.google.com/pubsub/docs/push; both camelCase and snake_case ids are sent, `data` is left out when empty,
`orderingKey` when there is none, `deliveryAttempt` when the subscription has no dead-letter policy.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
USER_AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"


@dataclass(frozen=True, slots=True)
class Pulled:
    """One message as pulled from a subscription."""

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: datetime
    ordering_key: str = ""
    delivery_attempt: int | None = None  # counted by Pub/Sub, from 1, only with a dead-letter policy


def push_body(message: Pulled, subscription: str) -> bytes:
    """Return the wrapped JSON for `message`.

    Args:
        subscription: full name, "projects/<project>/subscriptions/<name>".
    """
    published = message.published_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    wrapped: dict[str, Any] = {"attributes": dict(message.attributes)}
    if message.data:
        wrapped["data"] = base64.b64encode(message.data).decode()
    wrapped |= {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": wrapped, "subscription": subscription}
    if message.delivery_attempt is not None:
        body["deliveryAttempt"] = message.delivery_attempt
    return json.dumps(body).encode()


def push_headers(token: str) -> dict[str, str]:
    """Return the headers Google's push sends that a receiver may look at."""
    return {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Authorization": f"Bearer {token}"}

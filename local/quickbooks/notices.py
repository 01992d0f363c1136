"""Notices of changes: gathered, written in either format, signed, sent, repeated, and mistreated on wish."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from local.google.clock import Now
from local.quickbooks.books import Change
from local.quickbooks.errors import ControlError, Json

ANSWER_WITHIN_S = 3.0
_VERBS = {"Create": "created", "Update": "updated", "Delete": "deleted", "Void": "voided", "Emailed": "emailed"}

Post = Callable[[str, bytes, Mapping[str, str]], bool]
"""Sends a notice to an address; True if it was answered with 2xx in time."""


@dataclass(slots=True)
class Endpoint:
    """Where an app wants its notices. format: Intuit sends one of both."""

    url: str
    verifier_token: str
    format: Literal["cloudevents", "legacy"] = "cloudevents"


@dataclass(slots=True)
class Mischief:
    """copies: how often each POST comes. delay_s: how late. reorder: one POST per change, the newest first. lose: how
    many of the next POSTs never come. retry_s: pauses before the repeats of a POST that was not accepted."""

    copies: int = 1
    delay_s: float = 0.0
    reorder: bool = False
    lose: int = 0
    retry_s: tuple[float, ...] = (20.0, 120.0, 900.0, 3600.0)

    def change(self, wish: Json) -> None:
        for name, value in wish.items():
            if name not in self.__slots__:
                raise ControlError(f"mischief has {', '.join(self.__slots__)}, not {name}")
            setattr(self, name, _plain(value))


def _plain(value: Any) -> Any:
    """Numbers of a request come as decimals, which is right for money and wrong for seconds."""
    match value:
        case Decimal():
            return float(value)
        case list():
            return tuple(_plain(one) for one in value)
    return value


@dataclass(slots=True)
class Delivery:
    """One POST. state: "waiting", "accepted", "failed" after its last repeat, or "lost"."""

    changes: tuple[Change, ...]
    due_at: datetime
    attempts: int = 0
    state: str = "waiting"


class Notices:
    """Callers of `tell` hold the simulator's lock; `send_due` posts without it."""

    def __init__(self, now: Now, new_id: Callable[[], str]) -> None:
        self.endpoint: Endpoint | None = None
        self.mischief = Mischief()
        self.deliveries: list[Delivery] = []
        self._now = now
        self._new_id = new_id
        self._told: list[Change] = []
        self._ids: dict[Change, str] = {}

    def tell(self, change: Change) -> None:
        self._told.append(change)

    def gather(self) -> None:
        """Turn what was told since the last time into POSTs: one for all, or one each when they come in disorder."""
        told, self._told = self._told, []
        if not told or self.endpoint is None:
            return
        groups = [(change,) for change in reversed(told)] if self.mischief.reorder else [tuple(told)]
        due_at = self._now() + timedelta(seconds=self.mischief.delay_s)
        for group in groups:
            if self.mischief.lose > 0:
                self.mischief.lose -= 1
                self.deliveries.append(Delivery(group, due_at, state="lost"))
            else:
                self.deliveries.extend(Delivery(group, due_at) for _ in range(self.mischief.copies))

    def send_due(self, post: Post) -> None:
        endpoint = self.endpoint
        for delivery in list(self.deliveries):
            if endpoint is None or delivery.state != "waiting" or delivery.due_at > self._now():
                continue
            body, headers = self.written(delivery.changes, endpoint)
            accepted = post(endpoint.url, body, headers)
            delivery.attempts += 1
            pauses = self.mischief.retry_s
            if accepted:
                delivery.state = "accepted"
            elif delivery.attempts > len(pauses):
                delivery.state = "failed"
            else:
                delivery.due_at = self._now() + timedelta(seconds=pauses[delivery.attempts - 1])

    def written(self, changes: tuple[Change, ...], endpoint: Endpoint) -> tuple[bytes, dict[str, str]]:
        """The bytes and headers of one POST. A repeated event keeps its id."""
        cloud = endpoint.format == "cloudevents"
        content = [self._cloud_event(change) for change in changes] if cloud else _legacy(changes)
        body = json.dumps(content).encode()
        signature = base64.b64encode(hmac.new(endpoint.verifier_token.encode(), body, hashlib.sha256).digest())
        kind = "application/cloudevents+json" if cloud else "application/json"
        return body, {"content-type": kind, "intuit-signature": signature.decode(), "intuit-t-id": self._new_id()}

    def dump(self) -> Json:
        return {"endpoint": asdict(self.endpoint) if self.endpoint else None}

    def load(self, state: Json) -> None:
        self.endpoint = Endpoint(**state["endpoint"]) if state["endpoint"] else None

    def _cloud_event(self, change: Change) -> Json:
        return {
            "specversion": "1.0",
            "id": self._ids.setdefault(change, self._new_id()),
            "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
            "type": f"qbo.{change.entity.lower()}.{_VERBS[change.operation]}.v1",
            "datacontenttype": "application/json",
            "time": change.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "intuitentityid": change.id,
            "intuitaccountid": change.realm_id,
            "data": {},
        }


def _legacy(changes: tuple[Change, ...]) -> Json:
    companies: dict[str, list[Json]] = {}
    for change in changes:
        entity = {
            "name": change.entity,
            "id": change.id,
            "operation": change.operation,
            "lastUpdated": change.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        companies.setdefault(change.realm_id, []).append(entity)
    return {
        "eventNotifications": [
            {"realmId": realm_id, "dataChangeEvent": {"entities": entities}} for realm_id, entities in companies.items()
        ]
    }


def post_over_http(url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - set by control
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310
            return 200 <= int(answer.status) < 300
    except (urllib.error.URLError, OSError):
        return False

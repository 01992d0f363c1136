"""Watches, and the notifications they send: one a second and user at most, the rest dropped, as Google does it.

Source: developers.google.com/workspace/gmail/api/guides/push.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from local.google.clock import Now
from local.google.errors import ControlError, Json
from local.google.gmail.mailbox import HistoryRecord
from local.google.service import Publish, PublishError

WATCH_LIFETIME = timedelta(days=7)
MIN_GAP = timedelta(seconds=1)

Disturbance = Literal["drop", "duplicate", "delay", "reorder"]


@dataclass(slots=True)
class Watch:
    """What one mailbox asked for. An empty `label_ids` means every change."""

    topic: str
    label_ids: tuple[str, ...]
    exclude: bool
    expires_at: datetime

    def wants(self, record: HistoryRecord) -> bool:
        if not self.label_ids:
            return True
        touched = {*record.labels, *record.changed}
        return touched.isdisjoint(self.label_ids) if self.exclude else not touched.isdisjoint(self.label_ids)


@dataclass(slots=True)
class _Waiting:
    due_at: datetime
    topic: str
    content: bytes


@dataclass(slots=True)
class Pushes:
    """All notifications of all mailboxes. The clock and the way out are given."""

    now: Now
    publish: Publish
    watches: dict[str, Watch] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """published, dropped_by_rate, dropped (on request), failed."""
    _last_at: dict[str, datetime] = field(default_factory=dict)
    _disturbances: deque[tuple[Disturbance, float]] = field(default_factory=deque)
    _waiting: list[_Waiting] = field(default_factory=list)
    _held_back: list[tuple[str, bytes]] = field(default_factory=list)
    _made: int = 0

    def start(self, address: str, watch: Watch, history_id: int) -> None:
        """Set the mailbox's one watch, and send its first notification at once.

        Raises:
            PublishError: the topic does not take it; the watch is not set.
        """
        self.publish(watch.topic, self._content(address, history_id))
        self.counts["published"] += 1
        self._last_at[address] = self.now()
        self.watches[address] = watch

    def stop(self, address: str) -> None:
        self.watches.pop(address, None)

    def live(self, address: str) -> Watch | None:
        watch = self.watches.get(address)
        return watch if watch and watch.expires_at > self.now() else None

    def changed(self, address: str, record: HistoryRecord, history_id: int) -> None:
        """Tell the watcher of a mailbox, if there is one, it wants this change, and its second is free."""
        watch = self.live(address)
        if watch is None or not watch.wants(record):
            return
        last_at = self._last_at.get(address)
        if last_at and self.now() < last_at + MIN_GAP:
            self.counts["dropped_by_rate"] += 1
            return
        self._last_at[address] = self.now()
        self._send(watch.topic, self._content(address, history_id))

    def disturb(self, how: Disturbance, times: int, delay_s: float) -> None:
        """Spoil the next notifications: drop, send twice, delay by `delay_s`, or hold back until after the next one."""
        if how not in ("drop", "duplicate", "delay", "reorder"):
            raise ControlError("notifications can be disturbed by drop, duplicate, delay or reorder")
        self._disturbances.extend([(how, delay_s)] * times)

    def tick(self) -> None:
        """Send what was delayed until now."""
        due = [waiting for waiting in self._waiting if waiting.due_at <= self.now()]
        self._waiting = [waiting for waiting in self._waiting if waiting not in due]
        for waiting in sorted(due, key=lambda one: one.due_at):
            self._put(waiting.topic, waiting.content)

    def reset(self) -> None:
        self.watches.clear()
        self.counts.clear()
        self._last_at.clear()
        self._disturbances.clear()
        self._waiting.clear()
        self._held_back.clear()

    def dump(self) -> list[Json]:
        return [
            {
                "address": address,
                "topic": watch.topic,
                "label_ids": list(watch.label_ids),
                "exclude": watch.exclude,
                "expires_at": watch.expires_at.isoformat(),
            }
            for address, watch in self.watches.items()
        ]

    def load(self, saved: list[Json]) -> None:
        self.reset()
        for row in saved:
            expires_at = datetime.fromisoformat(row["expires_at"])
            self.watches[row["address"]] = Watch(row["topic"], tuple(row["label_ids"]), row["exclude"], expires_at)

    def _send(self, topic: str, content: bytes) -> None:
        how, delay_s = self._disturbances.popleft() if self._disturbances else ("", 0.0)
        if how == "drop":
            self.counts["dropped"] += 1
        elif how == "delay":
            self._waiting.append(_Waiting(self.now() + timedelta(seconds=delay_s), topic, content))
        elif how == "reorder":
            self._held_back.append((topic, content))
        else:
            self._put(topic, content)
            if how == "duplicate":
                self._put(topic, content)
            held, self._held_back = self._held_back, []
            for late_topic, late_content in held:
                self._put(late_topic, late_content)

    def _put(self, topic: str, content: bytes) -> None:
        try:
            self.publish(topic, content)
        except PublishError:
            self.counts["failed"] += 1  # Google does not tell the watcher either
        else:
            self.counts["published"] += 1

    def _content(self, address: str, history_id: int) -> bytes:
        """The id is documented as a string and has been seen as a number: it is sent as one and the other by turns."""
        self._made += 1
        told: str | int = history_id if self._made % 2 == 0 else str(history_id)
        return json.dumps({"emailAddress": address, "historyId": told}, separators=(",", ":")).encode()

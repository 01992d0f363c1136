"""One person's mailbox: messages, labels, threads and the history of changes. No clock, no sockets, no threads."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from local.google.errors import ApiError, ControlError, Json, not_found
from local.google.gmail.headers import split_head
from local.google.gmail.seed import FileSlice, Raw
from local.google.gmail.stored import StoredMessage, envelope_of

SYSTEM_LABELS = (
    "CHAT", "SENT", "INBOX", "IMPORTANT", "TRASH", "DRAFT", "SPAM", "CATEGORY_FORUMS", "CATEGORY_UPDATES",
    "CATEGORY_PERSONAL", "CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL", "STARRED", "UNREAD",
)  # fmt: skip
MAX_THREAD = 100
"""Gmail begins a new conversation after 100 messages."""

_HEAD_LIMIT = 1_000_000
_LATEST_MS = 0xFFF_FFFF_FFFF  # what eleven hex digits hold

Change = Literal["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """One change. `labels` are those right after it; `changed` those that a label change concerned."""

    id: int
    change: Change
    message_id: str
    thread_id: str
    labels: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(slots=True)
class Mailbox:
    """A mailbox.

    Args:
        chance: for ids and for the gaps between history ids.
        history_id: of the newest change; history is known since `oldest_history_id`.
    """

    address: str
    chance: random.Random
    history_id: int = 0
    oldest_history_id: int = 0
    messages: dict[str, StoredMessage] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    label_names: dict[str, str] = field(default_factory=dict)  # id -> name, a person's own labels only
    history: list[HistoryRecord] = field(default_factory=list)
    _by_time: list[tuple[int, str]] = field(default_factory=list)
    _thread_of: dict[tuple[str, str], str] = field(default_factory=dict)  # (Message-ID or reference, subject) -> thread
    _thread_of_hint: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.history_id:
            self.history_id = self.oldest_history_id = self.chance.randrange(10_000, 100_000)

    # ------------------------------------------------------------------------------------------------------ reading

    def get(self, message_id: str) -> StoredMessage:
        """Raises: ApiError 404."""
        if message := self.messages.get(message_id):
            return message
        raise not_found()

    def newest_first(self, before: tuple[int, str] | None) -> Iterator[StoredMessage]:
        """Yield messages by falling internal date, those strictly older than the key `before` (see `key`)."""
        at = len(self._by_time) if before is None else bisect_left(self._by_time, before)
        for position in range(at - 1, -1, -1):
            yield self.messages[self._by_time[position][1]]

    @staticmethod
    def key(message: StoredMessage) -> tuple[int, str]:
        return message.internal_ms, message.id

    def in_thread(self, thread_id: str) -> list[StoredMessage]:
        """Return a conversation, oldest first. Raises: ApiError 404."""
        if thread_id not in self.threads:
            raise not_found()
        return sorted((self.messages[message_id] for message_id in self.threads[thread_id]), key=self.key)

    def history_after(self, start: int) -> Iterator[HistoryRecord]:
        """Yield the changes after `start`, oldest first.

        Raises:
            ApiError: 404, `start` is older than what is kept, or was never given out.
        """
        if not self.oldest_history_id <= start <= self.history_id:
            raise not_found()
        at = bisect_left(self.history, start + 1, key=lambda record: record.id)
        return (self.history[position] for position in range(at, len(self.history)))

    # ------------------------------------------------------------------------------------------------------ changes

    def add(
        self, raw: Raw, labels: Iterable[str], received_ms: int, *, thread_hint: str | None = None
    ) -> StoredMessage:
        """Add a message under label ids or names, in the conversation where it belongs, and remember the change."""
        head = raw.read(_HEAD_LIMIT) if isinstance(raw, FileSlice) else raw
        envelope = envelope_of(split_head(head)[0])
        received_ms = min(max(received_ms, 0), _LATEST_MS)
        message_id = self._new_id(received_ms)
        keys = [(reference, envelope.subject) for reference in (envelope.rfc822_id, *envelope.references) if reference]
        thread_id = self._thread_for(keys, thread_hint) or message_id
        message = StoredMessage(
            id=message_id,
            thread_id=thread_id,
            raw=raw,
            internal_ms=received_ms,
            labels={self.label_id(label) for label in labels},
            history_id=0,
            rfc822_id=envelope.rfc822_id,
            senders=envelope.senders,
            to=envelope.to,
            cc=envelope.cc,
            bcc=envelope.bcc,
        )
        self._keep(message)
        self._thread_of.update((key, thread_id) for key in keys)
        if thread_hint:
            self._thread_of_hint[thread_hint] = thread_id
        self._remember("messageAdded", message)
        return message

    def relabel(self, message_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> list[HistoryRecord]:
        """Add and take away labels (ids or names); labels that change nothing leave no trace. Returns the changes."""
        message = self.get(message_id)
        added = tuple(sorted({self.label_id(label) for label in add} - message.labels))
        removed = tuple(sorted({self.label_id(label) for label in remove} & message.labels))
        records = []
        if added:
            message.labels.update(added)
            records.append(self._remember("labelAdded", message, added))
        if removed:
            message.labels.difference_update(removed)
            records.append(self._remember("labelRemoved", message, removed))
        return records

    def delete(self, message_id: str) -> HistoryRecord:
        """Delete a message for ever."""
        message = self.get(message_id)
        del self.messages[message_id]
        self._by_time.remove(self.key(message))
        thread = self.threads[message.thread_id]
        thread.remove(message_id)
        if not thread:
            del self.threads[message.thread_id]
        return self._remember("messageDeleted", message)

    def expire_history(self) -> None:
        """Forget all changes up to now: every cursor given out before the newest one is answered 404."""
        self.history.clear()
        self.oldest_history_id = self.history_id = self._next_history_id()

    def label_id(self, label: str) -> str:
        """Return the id of a system label, an own label's id or name; an unknown name becomes a new own label."""
        if label in SYSTEM_LABELS or label in self.label_names:
            return label
        for known_id, name in self.label_names.items():
            if name == label:
                return known_id
        new_id = f"Label_{len(self.label_names) + 1}"
        self.label_names[new_id] = label
        return new_id

    def require_labels(self, label_ids: Iterable[str]) -> None:
        """Raises: ApiError 400 for an id that this mailbox does not have."""
        for label_id in label_ids:
            if label_id not in SYSTEM_LABELS and label_id not in self.label_names:
                raise ApiError(400, "invalidArgument", f"Invalid label: {label_id}")

    # -------------------------------------------------------------------------------------------------------- state

    def dump(self, inline: Path) -> Json:
        """Return the whole mailbox as JSON; messages that lie in files under `inline` are written into it."""
        return {
            "address": self.address,
            "history_id": self.history_id,
            "oldest_history_id": self.oldest_history_id,
            "label_names": self.label_names,
            "history": [asdict(record) for record in self.history],
            "messages": [
                {**asdict(message), "labels": sorted(message.labels), "raw": _dump_raw(message.raw, inline)}
                for message in self.messages.values()
            ],
            "thread_of": [[*key, thread_id] for key, thread_id in self._thread_of.items()],
            "thread_of_hint": self._thread_of_hint,
        }

    @classmethod
    def load(cls, state: Json, chance: random.Random) -> Mailbox:
        mailbox = cls(state["address"], chance, state["history_id"], state["oldest_history_id"])
        mailbox.label_names = dict(state["label_names"])
        for row in state["history"]:
            mailbox.history.append(
                HistoryRecord(**{**row, "labels": tuple(row["labels"]), "changed": tuple(row["changed"])})
            )
        for row in state["messages"]:
            people = {name: tuple(row[name]) for name in ("senders", "to", "cc", "bcc")}
            mailbox._keep(
                StoredMessage(**{**row, **people, "labels": set(row["labels"]), "raw": _load_raw(row["raw"])})
            )
        mailbox._thread_of = {(reference, subject): thread for reference, subject, thread in state["thread_of"]}
        mailbox._thread_of_hint = dict(state["thread_of_hint"])
        return mailbox

    # ------------------------------------------------------------------------------------------------------ details

    def _thread_for(self, keys: Iterable[tuple[str, str]], hint: str | None) -> str | None:
        """Gmail joins what shares a reference and, prefixes aside, the subject."""
        if hint:
            return self._thread_of_hint.get(hint)
        for key in keys:
            thread_id = self._thread_of.get(key)
            if thread_id and len(self.threads.get(thread_id, ())) < MAX_THREAD:
                return thread_id
        return None

    def _keep(self, message: StoredMessage) -> None:
        self.messages[message.id] = message
        self.threads.setdefault(message.thread_id, []).append(message.id)
        insort(self._by_time, self.key(message))

    def _remember(self, change: Change, message: StoredMessage, changed: tuple[str, ...] = ()) -> HistoryRecord:
        self.history_id = message.history_id = self._next_history_id()
        record = HistoryRecord(
            self.history_id, change, message.id, message.thread_id, tuple(sorted(message.labels)), changed
        )
        self.history.append(record)
        return record

    def _next_history_id(self) -> int:
        return self.history_id + self.chance.randrange(1, 40)

    def _new_id(self, received_ms: int) -> str:
        """Ids begin with the time, as Gmail's do."""
        while True:
            message_id = f"{received_ms:011x}{self.chance.randrange(16**5):05x}"
            if message_id not in self.messages and message_id not in self.threads:
                return message_id


def _dump_raw(raw: Raw, inline: Path) -> Json:
    if isinstance(raw, FileSlice) and inline not in raw.path.parents:
        return {"path": str(raw.path), "offset": raw.offset, "length": raw.length}
    content = raw.read() if isinstance(raw, FileSlice) else raw
    return {"latin1": content.decode("latin-1")}


def _load_raw(row: Json) -> Raw:
    if "latin1" in row:
        return str(row["latin1"]).encode("latin-1")
    source = Path(row["path"])
    if not source.exists():
        raise ControlError(f"{source} is gone; it holds messages of the saved state")
    return FileSlice(source, row["offset"], row["length"])

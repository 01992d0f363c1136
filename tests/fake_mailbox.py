"""`ports.Mailbox` over the Google simulator's own model of Gmail, without HTTP in between.

The model speaks the vendor's JSON, and the product's own mapping reads it: what differs from the real adapter is the
wire alone. Held to it by tests/contracts/test_mailbox.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.google.errors import ApiError
from local.google.gmail.model import Gmail
from shared.domain.mail.envelope import METADATA_HEADERS, MailHeaders
from shared.errors import (
    AppError,
    CursorExpiredError,
    NotFoundError,
    PayloadError,
    ProviderUnavailableError,
)
from shared.ports.mailbox import (
    FullMessage,
    HistoryPage,
    ListPage,
    MailChange,
    MessageRef,
    PermanentFailure,
    Profile,
    Watch,
)
from shared.ports.marks import reads
from shared.providers.google.mime import body_from_gmail, headers_from_gmail

TOPIC = "projects/test/topics/gmail-push"
PAGE = 500

_KINDS = {
    "messagesAdded": "added",
    "messagesDeleted": "deleted",
    "labelsAdded": "labels_added",
    "labelsRemoved": "labels_removed",
}


class FakeMailbox:
    """One person's mail. `calls` counts by method; `failing` raises once per entry, first in first out.

    unreadable, headless: Gmail ids of messages whose body, or whose headers too, nobody can read. stumbling: those
    whose headers our own code crashes on. bodies: Gmail ids whose body was fetched. on_call: hears the name of every
    call before it is answered.
    """

    def __init__(self, gmail: Gmail, address: str, *, page: int = PAGE) -> None:
        self.gmail = gmail
        self.address = address
        self.calls: Counter[str] = Counter()
        self.failing: list[tuple[str, AppError]] = []
        self.unreadable: set[str] = set()
        self.headless: set[str] = set()
        self.stumbling: set[str] = set()
        self.bodies: set[str] = set()
        self.on_call: Callable[[str], object] | None = None
        self._happenings: dict[tuple[str, int], Callable[[], object]] = {}
        self._page = page

    @reads
    def profile(self) -> Profile:
        self._count("profile")
        return Profile(self.address, int(self.gmail.profile(self.address)["historyId"]))

    @reads
    def own_addresses(self) -> tuple[str, ...]:
        self._count("own_addresses")
        found = self.gmail.send_as(self.address)["sendAs"]
        accepted = [entry for entry in found if entry.get("verificationStatus", "accepted") == "accepted"]
        return tuple(entry["sendAsEmail"] for entry in sorted(accepted, key=lambda entry: not entry.get("isPrimary")))

    def start_watch(self) -> Watch:
        self._count("start_watch")
        answer = self.gmail.start_watch(self.address, topic=TOPIC)
        expires_at = datetime.fromtimestamp(int(answer["expiration"]) / 1000, tz=UTC)
        return Watch(int(answer["historyId"]), expires_at)

    def stop_watch(self) -> None:
        self._count("stop_watch")
        self.gmail.stop_watch(self.address)

    @reads
    def history(self, since: int, page: str | None) -> HistoryPage:
        self._count("history")
        try:
            answer = self.gmail.history(self.address, start=since, limit=self._page, page_token=page or "")
        except ApiError as error:
            if error.status == 404:
                raise CursorExpiredError("history is gone") from error
            raise PayloadError("a page token that is not ours") from error
        changes = tuple(change for record in answer.get("history", []) for change in _changes(record))
        return HistoryPage(changes, int(answer["historyId"]), answer.get("nextPageToken"))

    @reads
    def list_messages(
        self, *, after: datetime, before: datetime | None, page: str | None, search: str = ""
    ) -> ListPage:
        self._count("list_messages")
        words = [f"after:{math.floor(after.timestamp())}"]
        words += [f"before:{math.ceil(before.timestamp())}"] if before else []
        words += [search] if search else []
        try:
            answer = self.gmail.list_messages(self.address, q=" ".join(words), limit=self._page, page_token=page or "")
        except ApiError as error:
            raise PayloadError("a page token that is not ours") from error
        refs = tuple(MessageRef(found["id"], found["threadId"]) for found in answer.get("messages", []))
        return ListPage(refs, answer.get("nextPageToken"))

    @reads
    def headers(self, gmail_ids: Sequence[str]) -> dict[str, MailHeaders | None]:
        found: dict[str, MailHeaders | None] = {}
        for gmail_id in dict.fromkeys(gmail_ids):
            self._count("headers")
            self._require_headers(gmail_id)
            try:
                answer = self.gmail.message(self.address, gmail_id, form="metadata", headers=METADATA_HEADERS)
                found[gmail_id] = headers_from_gmail(answer)
            except ApiError:
                found[gmail_id] = None
        return found

    @reads
    def thread_headers(self, gmail_thread_id: str) -> tuple[MailHeaders, ...]:
        self._count("thread_headers")
        messages = self._thread(gmail_thread_id, "metadata")
        for message in messages:
            self._require_headers(message["id"])
        return tuple(headers_from_gmail(message) for message in messages)

    @reads
    def message(self, gmail_id: str) -> FullMessage:
        self._count("message")
        try:
            return self._full(self.gmail.message(self.address, gmail_id))
        except ApiError as error:
            raise NotFoundError(f"message {gmail_id} is gone") from error

    @reads
    def thread(self, gmail_thread_id: str) -> tuple[FullMessage | PermanentFailure, ...]:
        self._count("thread")
        found: list[FullMessage | PermanentFailure] = []
        for message in self._thread(gmail_thread_id, "full"):
            try:
                found.append(self._full(message))
            except PayloadError as error:
                found.append(PermanentFailure(message["id"], str(error)))
        return tuple(found)

    def _thread(self, gmail_thread_id: str, form: Any) -> list[dict[str, Any]]:
        try:
            messages: list[dict[str, Any]] = self.gmail.thread(
                self.address, gmail_thread_id, form=form, headers=METADATA_HEADERS
            )["messages"]
        except ApiError:
            return []
        return messages

    def _full(self, message: dict[str, Any]) -> FullMessage:
        self.bodies.add(message["id"])
        self._require_headers(message["id"])
        if message["id"] in self.unreadable:
            raise PayloadError(f"message {message['id']}: part 0 cannot be read")
        return FullMessage(headers_from_gmail(message), body_from_gmail(message))

    def _require_headers(self, gmail_id: str) -> None:
        if gmail_id in self.headless:
            raise PayloadError(f"message {gmail_id}: its headers cannot be read")
        if gmail_id in self.stumbling:
            raise IndexError("a header nobody thought of")

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        if self.on_call is not None:
            self.on_call(method)
        if (happening := self._happenings.pop((method, self.calls[method]), None)) is not None:
            happening()
        for entry in self.failing:
            if entry[0] in (method, "*"):
                self.failing.remove(entry)
                raise entry[1]

    def before(self, method: str, nth: int, happening: Callable[[], object]) -> None:
        """Let something happen just before the `nth` call of a method, counted from now."""
        self._happenings[method, self.calls[method] + nth] = happening

    def fail_after(self, method: str, calls: int) -> None:
        """The method is down after so many more calls, for one call."""
        self.before(method, calls + 1, lambda: self.fail_next(method))

    def fail_next(self, method: str, error: AppError | None = None, times: int = 1) -> None:
        """Make the next calls of a method ("*": any) fail."""
        self.failing += [(method, error or ProviderUnavailableError("Gmail is down"))] * times


def _changes(record: dict[str, Any]) -> list[MailChange]:
    return [
        MailChange(
            kind,  # type: ignore[arg-type]  # the table above holds the literals
            MessageRef(entry["message"]["id"], entry["message"]["threadId"]),
            frozenset(entry.get("labelIds") or entry["message"].get("labelIds", ())),
        )
        for field, kind in _KINDS.items()
        for entry in record.get(field, [])
    ]

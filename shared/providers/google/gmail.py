"""Gmail as `ports.Mailbox`: one person's mail, read only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.domain.mail.envelope import METADATA_HEADERS, MailHeaders
from shared.errors import AppError, NotFoundError, PayloadError
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
from shared.providers.google.batch import ApiRequest
from shared.providers.google.http import MAX_PARTS, GoogleHttp, Service
from shared.providers.google.mime import body_from_gmail, headers_from_gmail, text_elsewhere

PAGE_SIZE = 500
"""The most that history.list and messages.list give at once."""

HISTORY_TYPES = ("messageAdded", "messageDeleted", "labelAdded", "labelRemoved")

HISTORY_FORGOTTEN = frozenset({404})
"""Gmail's answer to a startHistoryId that is too old (usually a week, sometimes hours) or was never valid."""

TEXTS_FETCHED_AT_MOST = 4
"""Large texts that Gmail left out of a message are fetched one by one, 20 units each. Mail made of hundreds of them
must not use up the mailbox's quota; what is not fetched is listed as an attachment."""

ME = "me"


class GmailMailbox:
    """The mailbox that `http`'s token belongs to.

    Every method raises ConnectionRevokedError, AdminActionError, RateLimitedError or ProviderUnavailableError as
    `GoogleHttp.call` does; below, only what a method adds is named.
    """

    def __init__(self, http: GoogleHttp, topic: str) -> None:
        """topic: full name, "projects/<project>/topics/<topic>", in the project of the OAuth client."""
        self._http = http
        self._topic = topic

    @reads
    def profile(self) -> Profile:
        """The address, and the history id now: the cursor to pin before a mailbox is listed.

        Source: users.getProfile -> {"emailAddress", "historyId": uint64 in decimal digits, "messagesTotal"}.
        """
        answer = self._http.call(self._users.getProfile(userId=ME))
        return Profile(address=answer["emailAddress"], history_id=int(answer["historyId"]))

    @reads
    def own_addresses(self) -> tuple[str, ...]:
        """The primary address, then every send-as address whose owner confirmed it, as Gmail spells them.

        Source: users.settings.sendAs.list -> {"sendAs": [{"sendAsEmail", "isPrimary", "verificationStatus"}]};
        the status is there for custom addresses only, so the primary one goes without.
        """
        entries = self._http.call(self._users.settings().sendAs().list(userId=ME)).get("sendAs", [])
        primary = [entry["sendAsEmail"] for entry in entries if entry.get("isPrimary")]
        verified = [entry["sendAsEmail"] for entry in entries if entry.get("verificationStatus") == "accepted"]
        return tuple(dict.fromkeys(primary + verified))

    def start_watch(self) -> Watch:
        """Ask Gmail to publish this mailbox's changes to our topic. Calling it again renews.

        No label filter: which labels matter is decided when history is read, and a changed set needs no new watch.

        Returns:
            history_id: the mailbox's now; it grows, with gaps. expires_at: about 7 days ahead.
        Source:
            users.watch -> {"historyId": "1234567890", "expiration": "1431990098200"}, epoch ms. A notice comes at once.
        """
        answer = self._http.call(self._users.watch(userId=ME, body={"topicName": self._topic}))
        expires_at = datetime.fromtimestamp(int(answer["expiration"]) / 1000, tz=UTC)
        return Watch(history_id=int(answer["historyId"]), expires_at=expires_at)

    def stop_watch(self) -> None:
        """End the watch; notices end within minutes. Without a watch, nothing happens.

        Source: users.stop, answered with nothing.
        """
        self._http.call(self._users.stop(userId=ME))

    @reads
    def history(self, since: int, page: str | None) -> HistoryPage:
        """What happened after `since`, oldest first, up to 500 records a page.

        Returns:
            history_id: the mailbox's newest; it becomes the cursor only when every page was read.
            changes: a message that was added and is gone again still appears as added.
        Raises:
            CursorExpiredError: Gmail no longer knows `since`; list the gap.
        Source:
            users.history.list -> {"history": [{"id", "messagesAdded": [{"message": {"id", "threadId", "labelIds"}}],
            "messagesDeleted", "labelsAdded": [{"message", "labelIds"}], "labelsRemoved"}], "nextPageToken",
            "historyId"}; `history` is absent when nothing changed. messagesDeleted is final deletion; trashing adds the
            label TRASH.
        """
        answer = self._http.call(
            self._users.history().list(
                userId=ME,
                startHistoryId=str(since),
                historyTypes=list(HISTORY_TYPES),
                maxResults=PAGE_SIZE,
                pageToken=page,
            ),
            cursor_lost_on=HISTORY_FORGOTTEN,
        )
        changes = tuple(change for record in answer.get("history", []) for change in _changes(record))
        return HistoryPage(changes=changes, history_id=int(answer["historyId"]), next_page=answer.get("nextPageToken"))

    @reads
    def list_messages(
        self, *, after: datetime, before: datetime | None, page: str | None, search: str = ""
    ) -> ListPage:
        """Up to 500 messages a page, newest first; spam and trash left out.

        Args:
            after, before: aware; widened to whole seconds, since that is what Gmail's search takes. (It reads dates
                without a time as midnight in California.)
            search: more of Gmail's search words.
        Source:
            users.messages.list -> {"messages": [{"id", "threadId"}], "nextPageToken"}; `messages` is absent when empty.
        """
        words = [f"after:{math.floor(after.timestamp())}"]
        if before is not None:
            words.append(f"before:{math.ceil(before.timestamp())}")
        if search:
            words.append(search)
        answer = self._http.call(
            self._users.messages().list(
                userId=ME, q=" ".join(words), includeSpamTrash=False, maxResults=PAGE_SIZE, pageToken=page
            )
        )
        refs = tuple(_ref(message) for message in answer.get("messages", []))
        return ListPage(refs=refs, next_page=answer.get("nextPageToken"))

    @reads
    def headers(self, gmail_ids: Sequence[str]) -> dict[str, MailHeaders | None]:
        """Headers of up to 100 messages, no body; None for one that is gone. Repeated ids are read once.

        The first error ends it: whoever was told to slow down does not send the rest.

        Raises:
            PayloadError: Gmail's description of a message cannot be read; the message names its id.
        Source:
            users.messages.get, format=metadata, in batches of 10.
        """
        ids = list(dict.fromkeys(gmail_ids))
        found: dict[str, MailHeaders | None] = {}
        for start in range(0, len(ids), MAX_PARTS):
            batch = ids[start : start + MAX_PARTS]
            for gmail_id, result in zip(batch, self._http.batch(self._metadata_requests(batch)), strict=True):
                if isinstance(result, NotFoundError):
                    found[gmail_id] = None
                elif isinstance(result, AppError):
                    raise result
                else:
                    found[gmail_id] = headers_from_gmail(result)
        return found

    @reads
    def thread_headers(self, gmail_thread_id: str) -> tuple[MailHeaders, ...]:
        """Headers of every message of the thread, oldest first; empty when it is gone.

        Source: users.threads.get, format=metadata -> {"id", "historyId", "messages": [...]}.
        """
        request = self._users.threads().get(
            userId=ME, id=gmail_thread_id, format="metadata", metadataHeaders=list(METADATA_HEADERS)
        )
        return tuple(headers_from_gmail(message) for message in self._messages_of(request))

    @reads
    def message(self, gmail_id: str) -> FullMessage:
        """One message with its body.

        Raises:
            NotFoundError: it was deleted for good.
            PayloadError: it cannot be read.
        Source:
            users.messages.get, format=full; for large text users.messages.attachments.get -> {"size", "data"}.
        """
        return self._full(self._http.call(self._users.messages().get(userId=ME, id=gmail_id, format="full")))

    @reads
    def thread(self, gmail_thread_id: str) -> tuple[FullMessage | PermanentFailure, ...]:
        """Every message of the thread with its body, oldest first; one that cannot be read as its failure.

        Empty when the thread is gone.

        Source: users.threads.get, format=full.
        """
        return tuple(
            self._full_or_failure(message)
            for message in self._messages_of(self._users.threads().get(userId=ME, id=gmail_thread_id, format="full"))
        )

    @property
    def _users(self) -> Service:
        return self._http.gmail.users()

    def _metadata_requests(self, gmail_ids: Sequence[str]) -> list[ApiRequest]:
        messages = self._users.messages()
        names = list(METADATA_HEADERS)
        return [messages.get(userId=ME, id=one, format="metadata", metadataHeaders=names) for one in gmail_ids]

    def _messages_of(self, thread_request: ApiRequest) -> list[dict[str, Any]]:
        try:
            messages: list[dict[str, Any]] = self._http.call(thread_request).get("messages", [])
        except NotFoundError:
            return []
        return messages

    def _full_or_failure(self, message: dict[str, Any]) -> FullMessage | PermanentFailure:
        try:
            return self._full(message)
        except (PayloadError, NotFoundError) as error:
            return PermanentFailure(gmail_id=message["id"], reason=str(error))

    def _full(self, message: dict[str, Any]) -> FullMessage:
        gmail_id = message.get("id")
        parts = list(text_elsewhere(message).items())[:TEXTS_FETCHED_AT_MOST]
        attachments = self._users.messages().attachments()
        fetched = {
            part_id: self._http.call(attachments.get(userId=ME, messageId=gmail_id, id=attachment_id)).get("data", "")
            for part_id, attachment_id in parts
        }
        return FullMessage(headers=headers_from_gmail(message), body=body_from_gmail(message, fetched))


def _ref(message: Mapping[str, Any]) -> MessageRef:
    return MessageRef(gmail_id=message["id"], gmail_thread_id=message["threadId"])


def _changes(record: Mapping[str, Any]) -> Iterator[MailChange]:
    for entry in record.get("messagesAdded", []):
        message = entry["message"]
        yield MailChange("added", _ref(message), frozenset(message.get("labelIds", [])))
    for entry in record.get("messagesDeleted", []):
        yield MailChange("deleted", _ref(entry["message"]), frozenset())
    for entry in record.get("labelsAdded", []):
        yield MailChange("labels_added", _ref(entry["message"]), frozenset(entry.get("labelIds", [])))
    for entry in record.get("labelsRemoved", []):
        yield MailChange("labels_removed", _ref(entry["message"]), frozenset(entry.get("labelIds", [])))

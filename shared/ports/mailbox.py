"""One person's mail at the vendor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from shared.domain.values import dataclass
from shared.ports.marks import reads

if TYPE_CHECKING:  # words of the annotations alone: a cold start would pay for every class behind them
    from shared.domain.mail.body import MailBody
    from shared.domain.mail.envelope import MailHeaders


@dataclass(frozen=True, slots=True)
class Profile:
    """A mailbox's address and its history id now."""

    address: str
    history_id: int


@dataclass(frozen=True, slots=True)
class Watch:
    """A running watch: the mailbox's history id at its start, and when it ends (aware UTC)."""

    history_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message as lists name it."""

    gmail_id: str
    gmail_thread_id: str


@dataclass(frozen=True, slots=True)
class MailChange:
    """One entry of a mailbox's history. labels: for "added" all the message has, else those added or removed."""

    kind: Literal["added", "deleted", "labels_added", "labels_removed"]
    ref: MessageRef
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Changes in order, oldest first. history_id: the mailbox's newest, to be stored after the last page only."""

    changes: tuple[MailChange, ...]
    history_id: int
    next_page: str | None


@dataclass(frozen=True, slots=True)
class ListPage:
    """Messages newest first."""

    refs: tuple[MessageRef, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class FullMessage:
    """A message with its body, text and sanitized HTML."""

    headers: MailHeaders
    body: MailBody


class Mailbox(Protocol):
    """One person's mail at the vendor. Every method raises ConnectionRevokedError, AdminActionError,
    ProviderUnavailableError or RateLimitedError where the vendor says so."""

    @reads
    def profile(self) -> Profile: ...

    @reads
    def own_addresses(self) -> tuple[str, ...]:
        """The primary address first, then every verified send-as address."""
        ...

    def start_watch(self) -> Watch:
        """Ask for change notices on our topic. Calling it again renews."""
        ...

    def stop_watch(self) -> None: ...

    @reads
    def history(self, since: int, page: str | None) -> HistoryPage:
        """Raises: CursorExpiredError."""
        ...

    @reads
    def list_messages(
        self, *, after: datetime, before: datetime | None, page: str | None, search: str = ""
    ) -> ListPage:
        """Up to 500 a page, spam and trash left out; `search` narrows in the vendor's search words."""
        ...

    @reads
    def headers(self, gmail_ids: Sequence[str]) -> dict[str, MailHeaders | None]:
        """Headers of up to 100 messages; None for one that is gone. One rate-limited part raises for all."""
        ...

    @reads
    def thread_headers(self, gmail_thread_id: str) -> tuple[MailHeaders, ...]:
        """Headers of every message of the thread; empty when it is gone."""
        ...

    @reads
    def message(self, gmail_id: str) -> FullMessage:
        """Raises: NotFoundError, PayloadError."""
        ...

    @reads
    def thread(self, gmail_thread_id: str) -> tuple[FullMessage | PermanentFailure, ...]:
        """Every message of the thread in full; an unreadable one as its failure."""
        ...


@dataclass(frozen=True, slots=True)
class PermanentFailure:
    """A message of a thread that cannot be read, and why."""

    gmail_id: str
    reason: str

"""What the use cases need from the world, in the domain's words.

Adapters live in `platform/` (Google Cloud) and `providers/` (vendors); in-memory fakes in `tests/fakes.py` pass the
same contract tests. A method marked `@reads` changes nothing outside; every other method is a side effect, and the
crash harness stops the world before it, after it, and after it with the reply lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from shared.ports.cash import ChangesPage as ChangesPage
from shared.ports.cash import Ledger as Ledger
from shared.ports.cash import Signing as Signing
from shared.ports.marks import reads as reads
from shared.ports.papers import Letterhead as Letterhead
from shared.ports.papers import PdfWriter as PdfWriter

if TYPE_CHECKING:  # words of the annotations alone: a cold start would pay for every class behind them
    from shared.domain.calendar.event import CalendarEvent
    from shared.domain.calendar.meeting import Expansion, Series
    from shared.domain.mail.body import MailBody
    from shared.domain.mail.envelope import MailHeaders

# ---------------------------------------------------------------------------------------------------------- documents


@dataclass(frozen=True, slots=True)
class Version:
    """A document's update time as its store tells it; opaque, only compared for equality."""

    token: str


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document. `path` is "collection/id/collection/id"; `fields` hold None, bool, int, float, str, bytes,
    aware UTC datetimes, lists and maps of these."""

    path: str
    fields: Mapping[str, Any]
    version: Version

    @property
    def id(self) -> str:
        return self.path.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class Increment:
    """Add to a number; an absent field counts as 0."""

    amount: int


@dataclass(frozen=True, slots=True)
class Maximum:
    """Raise a number to at least this; an absent field becomes it. Numbers only: the store compares no times."""

    value: int


@dataclass(frozen=True, slots=True)
class Union:
    """Add to a list what it does not hold yet."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """Take every occurrence of these out of a list."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """Take the field away."""


@dataclass(frozen=True, slots=True)
class Create:
    """Write a new document; AlreadyExistsError if it is there."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """Change fields of an existing document. Keys are dotted field paths; a map given for a key replaces that map.

    StaleWriteError if the document is gone, or is not at `version` where one is given.
    """

    path: str
    fields: Mapping[str, Any]
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Create the document or merge into it, deeply. For facts that commute (Increment, Maximum, Union)."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replace:
    """Write the whole document, absent or not; fields it had and `fields` lacks are gone.

    Unguarded: only in a batch whose other writes guard what this one is built from.
    """

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the document, absent or not; with `version`, StaleWriteError unless it is at it."""

    path: str
    version: Version | None = None


Write = Create | Update | Merge | Replace | Delete

Op = Literal["==", "<", "<=", ">", ">=", "in", "array_contains"]

Conditions = tuple[tuple[str, Op, Any], ...]
"""Field path, operator, value; all of them hold."""

ID = "__name__"
"""The field path of a document's id in `order_by` (ties, and pages in id order)."""


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection ("tenants/t/contacts") or, with `group`, of every collection of that name.

    order_by: field names, "-" in front for descending. start_after: the order_by fields' values of the last document
    of the page before (for ID its path). Every combination used has an index in firestore.indexes.json.
    """

    collection: str
    where: Conditions = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    start_after: tuple[Any, ...] | None = None
    group: bool = False


class Documents(Protocol):
    """A document store with atomic, guarded batches. Source: Firestore's commit, runQuery and runAggregationQuery."""

    @reads
    def get(self, path: str) -> Document | None: ...

    @reads
    def get_all(self, paths: Sequence[str]) -> list[Document | None]:
        """In the order asked, None for what is absent. Any number of paths."""
        ...

    @reads
    def find(self, query: Query) -> list[Document]: ...

    @reads
    def count(self, query: Query) -> int: ...

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        """All or nothing; returns the new versions in order.

        Raises: AlreadyExistsError, StaleWriteError (nothing was written); ProviderUnavailableError (unknown: the
        caller must be safe to repeat).
        """
        ...


# ------------------------------------------------------------------------------------------------- work and messages


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


class Blobs(Protocol):
    """Bytes by key, each key under "{tenant}/"."""

    def put(self, key: str, content: bytes, content_type: str) -> None: ...

    @reads
    def get(self, key: str) -> bytes:
        """Raises: NotFoundError."""
        ...

    def delete(self, key: str) -> None:
        """Delete it, absent or not."""
        ...


# ------------------------------------------------------------------------------------------------ time, ids, chance


class Clock(Protocol):
    @reads
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Chance(Protocol):
    """Randomness, so that tests and simulations can repeat themselves."""

    @reads
    def token(self) -> str:
        """43 URL-safe characters from 32 random bytes: OAuth states, verifiers, channel tokens, lease owners."""
        ...

    @reads
    def fraction(self) -> float:
        """Uniform in [0, 1): jitter and samples."""
        ...


class Jitter(Protocol):
    @reads
    def wait(self, attempt: int) -> None:
        """Pause a random moment that grows with `attempt` (0, 1, ...), before a lost race is run again."""
        ...


# ------------------------------------------------------------------------------------------------------------ secrets


class WrappingKey(Protocol):
    """The key that wraps tenants' data keys; Cloud KMS in the cloud, a key file on a laptop."""

    @reads
    def wrap(self, plain: bytes, context: bytes) -> bytes: ...

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises: PayloadError if the key or the context is not the one it was wrapped with."""
        ...


class Vault(Protocol):
    """Seals secrets of one tenant with AES-256-GCM, bound to connection and field."""

    def seal(self, connection: str, field: str, plain: bytes) -> bytes: ...

    @reads
    def open(self, connection: str, field: str, sealed: bytes) -> bytes: ...


# -------------------------------------------------------------------------------------------------------------- OAuth


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code exchange brought. `refresh_token` is None where the vendor gave none this time.

    idle_end_at: when the refresh token dies unless it is used; hard_end_at: when a person must reconnect, used or not;
    None where the vendor did not say.
    """

    account: str
    account_id: str
    hosted_domain: str | None
    scopes: frozenset[str]
    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(repr=False)
    idle_end_at: datetime | None = None
    hard_end_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when it ends. `refresh_token` is set where the vendor rotated it; the other two: see `Grant`."""

    token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    idle_end_at: datetime | None = None
    hard_end_at: datetime | None = None


class Authorization(Protocol):
    """OAuth 2.0 code grant at one vendor."""

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where to send the person; carries the S256 challenge of `verifier`."""
        ...

    def exchange(self, *, code: str, verifier: str) -> Grant:
        """Trade the code, once.

        Raises: InputError (the code is used, old or not ours), ProviderUnavailableError (the code may be used up).
        """
        ...

    def refresh(self, refresh_token: str) -> AccessToken:
        """A new access token.

        Raises: ConnectionRevokedError (invalid_grant and nothing else), ProviderUnavailableError, RateLimitedError.
        """
        ...

    def revoke(self, refresh_token: str) -> None:
        """End the whole grant of this person to our project; one that is gone already is success."""
        ...


# --------------------------------------------------------------------------------------------------------------- mail


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


# ----------------------------------------------------------------------------------------------------------- calendars


@dataclass(frozen=True, slots=True)
class CalendarListing:
    """One calendar on a person's list. selected: they have it shown. time_zone: IANA name."""

    calendar_id: str
    primary: bool
    selected: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An event of a page that cannot be read, and why."""

    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in no order, instances of series only where they were changed or cancelled. sync_token: on the last page
    only; it stands for everything read since the first."""

    events: tuple[CalendarEvent, ...]
    unreadable: tuple[UnreadableEvent, ...]
    next_page: str | None
    sync_token: str | None


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """A running channel: what stopping it needs, and when it ends (aware UTC)."""

    resource_id: str
    expires_at: datetime


class Calendar(Protocol):
    """One person's calendars at the vendor. Every method raises ConnectionRevokedError, AdminActionError,
    ProviderUnavailableError or RateLimitedError where the vendor says so."""

    @reads
    def calendars(self) -> tuple[CalendarListing, ...]: ...

    @reads
    def events(self, calendar_id: str, *, since: datetime, sync_token: str | None, page: str | None) -> EventPage:
        """What changed since `sync_token`; without one, everything that ends after `since`.

        Raises: CursorExpiredError (read everything anew); NotFoundError, ForbiddenError (the calendar is gone).
        """
        ...

    def open_channel(self, calendar_id: str, *, channel_id: str, token: str, address: str) -> OpenedChannel:
        """Ask for change notices of this calendar at `address`. The first notice may come before this returns."""
        ...

    def close_channel(self, channel_id: str, resource_id: str) -> None:
        """Stop a channel; one that is not there (any more) is stopped."""
        ...


class Recurrence(Protocol):
    """Expands the recurrence rules of RFC 5545."""

    @reads
    def expand(self, series: Series, since: datetime, until: datetime) -> Expansion:
        """Occurrences that end after `since` and begin before `until`.

        Raises: PayloadError for a rule that cannot be read, or has more occurrences than anybody meets.
        """
        ...

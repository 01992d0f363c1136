"""A mailbox, what serves it, and how far its mail has been read (D6)."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from shared.domain.ids import short_id
from shared.domain.lease import FREE, Lease
from shared.domain.mail.addresses import normalize
from shared.domain.people import Viewer
from shared.domain.settings import MailOptions
from shared.domain.values import dataclass
from shared.errors import InputError


class Status(StrEnum):
    """One word for the connection page (G5)."""

    CONNECTED = "connected"
    IMPORTING = "importing"
    PAUSED = "paused"
    RECONNECT_NEEDED = "reconnect_needed"
    ADMIN_ACTION_NEEDED = "admin_action_needed"
    DISABLED = "disabled"
    DISCONNECTED = "disconnected"


SERVED = frozenset({Status.CONNECTED, Status.IMPORTING})
"""Only in these does anything call the vendor."""


ACTIONS = {
    "pause": Status.PAUSED,
    "resume": Status.CONNECTED,
    "disable": Status.DISABLED,
    "disconnect": Status.DISCONNECTED,
}


def wanted_status(action: str) -> Status:
    """What a person's action leads to. Raises: InputError."""
    if action not in ACTIONS:
        raise InputError(f"The action is one of {', '.join(ACTIONS)}.")
    return ACTIONS[action]


def mailbox_id(address: str) -> str:
    return short_id("b", "mailbox", normalize(address))


@dataclass(frozen=True, slots=True)
class MailboxRecord:
    """Whose mail it is and what may be done with it.

    viewer: the user as of their last change, so that deciding needs no read of the user. own: every address of the
    mailbox, normalized, without +tag, refreshed daily. unsearched: those that joined while mail was read already, whose
    mail is still to be decided anew. search_trusted: Gmail's search was never caught missing a contact's mail here.
    missed: a contact changed while it was not served, and all contacts are searched for when it is served again.
    changed_by, changed_at: who paused, disabled or disconnected it.
    """

    mailbox_id: str
    address: str
    viewer: Viewer
    connection_id: str
    status: Status
    own: frozenset[str]
    options: MailOptions = field(default_factory=MailOptions)
    unsearched: frozenset[str] = frozenset()
    own_refreshed_at: datetime | None = None
    search_trusted: bool = True
    missed: bool = False
    changed_by: str | None = None
    changed_at: datetime | None = None

    @property
    def user_id(self) -> str:
        return self.viewer.user_id

    @property
    def served(self) -> bool:
        return self.status in SERVED


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap being listed: `pinned` becomes the cursor once every page of `after` was queued (I1)."""

    pinned: int
    after: datetime
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of history between two of its pages. history_id: the mailbox's at the first page, which becomes the
    cursor after the last: what came while the pages were turned is read again rather than trusted to be on them."""

    history_id: int
    started_at: datetime
    page: str


@dataclass(frozen=True, slots=True)
class MailStream:
    """How far the history of a mailbox was read.

    cursor: everything up to it is in the ledger. reading: a reading of several pages under way, from the cursor.
    read_at: when the last reading that went to its end began.
    """

    cursor: int
    read_at: datetime
    reading: Reading | None = None
    gap: Gap | None = None
    pushed_at: datetime | None = None
    polled_at: datetime | None = None
    lease: Lease = FREE


@dataclass(frozen=True, slots=True)
class MailWatch:
    """A mailbox's watch. It lies beside the stream, so that renewing it does not disturb whoever reads history."""

    watch_expires_at: datetime
    renewed_at: datetime

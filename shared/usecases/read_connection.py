"""What the connection page says: one word, how far it is, what is wrong and what to do about it (G5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.backfill import Phase
from shared.domain.connection import Connection
from shared.domain.mailbox import MailboxRecord, Status
from shared.domain.people import User
from shared.domain.receipt import Receipt
from shared.ports.time import Clock
from shared.records.connections import Connections
from shared.records.mailboxes import MailStreams
from shared.records.store import TenantStore
from shared.usecases.read_receipt import read_receipt, require_reader


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a backfill. listed: None while the mailbox is still being listed."""

    decided: int
    listed: int | None
    finished: bool

    @property
    def percent(self) -> int:
        if self.finished:
            return 100
        return min(99, 100 * self.decided // self.listed) if self.listed else 0


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """Times are aware UTC. problem: an id of the provider's error catalogue, which has the sentence for it."""

    mailbox: MailboxRecord
    connection: Connection | None
    status: Status
    problem: str | None
    covered_until: datetime | None
    last_push_at: datetime | None
    last_poll_at: datetime | None
    watch_expires_at: datetime | None
    progress: Progress | None
    receipt: Receipt


def read_connection(store: TenantStore, mailbox_id: str, viewer: User, clock: Clock) -> ConnectionPage:
    """Raises: NotFoundError; ForbiddenError for anyone but the mailbox's user and admins."""
    mailbox = require_reader(store, mailbox_id, viewer)
    connection = Connections(store).find(mailbox.connection_id)
    streams = MailStreams(store, mailbox_id)
    stream, watch, run = streams.get(), streams.watch(), streams.backfill()
    progress = None
    if run is not None:
        listed = None if run.value.phase is Phase.LISTING else run.value.listed
        progress = Progress(run.value.decided, listed, run.value.phase is Phase.DONE)
    receipt = read_receipt(store, mailbox_id, clock)
    return ConnectionPage(
        mailbox=mailbox,
        connection=connection.value if connection else None,
        status=mailbox.status,
        problem=connection.value.problem if connection else None,
        covered_until=receipt.covered_until,
        last_push_at=stream.value.pushed_at if stream else None,
        last_poll_at=stream.value.polled_at if stream else None,
        watch_expires_at=watch.value.watch_expires_at if watch else None,
        progress=progress,
        receipt=receipt,
    )

"""What the connection page says: one word, how far it is, what is wrong and what to do about it (G5)."""

from __future__ import annotations

from datetime import datetime

from shared.domain.backfill import BackfillRun, Phase
from shared.domain.connection import Connection
from shared.domain.mailbox import MailboxRecord, Status
from shared.domain.people import User
from shared.domain.receipt import Receipt
from shared.domain.values import dataclass
from shared.ports.time import Clock
from shared.records.connections import Connections
from shared.records.mailboxes import MailStreams
from shared.records.store import TenantStore
from shared.usecases.read_receipt import read_receipt, require_reader


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a backfill. listed: None while the mailbox is still being listed. Only the mailbox's own user is told how many
    messages that is: beside the receipt that others see, it would tell how many are kept from them."""

    decided: int | None
    listed: int | None
    percent: int


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
    own = viewer.user_id == mailbox.user_id
    connection = Connections(store).find(mailbox.connection_id)
    streams = MailStreams(store, mailbox_id)
    stream, watch, run = streams.get(), streams.watch(), streams.backfill()
    progress = _progress(run.value, in_counts=own) if run else None
    receipt = read_receipt(store, mailbox_id, clock, for_others=not own)
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


def _progress(run: BackfillRun, *, in_counts: bool) -> Progress:
    listed = None if run.phase is Phase.LISTING else run.listed
    percent = min(99, 100 * run.decided // listed) if listed else 0
    percent = 100 if run.phase is Phase.DONE else percent
    return Progress(run.decided, listed, percent) if in_counts else Progress(None, None, percent)

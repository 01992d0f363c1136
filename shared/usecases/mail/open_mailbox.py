"""What follows a connect, in the order that loses nothing: pin, watch, channels, past (I2, G7, G8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.mail.addresses import normalize, untagged
from shared.domain.mailbox import MailboxRecord, MailStream, MailWatch, Status
from shared.domain.matching import Known
from shared.errors import AlreadyExistsError
from shared.ports import Write
from shared.records.addresses import Addresses
from shared.records.connections import Connections
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.store import guarded
from shared.usecases.mail.backfill_mailbox import start_backfill
from shared.usecases.mail.queue_work import sync_task
from shared.usecases.mail.served import ServedMailbox

DAYS_A_MONTH = 30.5


def open_mailbox(served: ServedMailbox, open_calendars: Callable[[], None]) -> None:
    """Start everything a new connection serves. Safe to repeat: each step finds what the last attempt left."""
    mailbox = Mailboxes(served.store).get(served.mailbox_id).value
    if not mailbox.served:
        return
    connection = Connections(served.store).get(mailbox.connection_id).value
    if "mail" not in connection.refused:
        refresh_own_addresses(served)
        pin_cursor(served)
        renew_watch(served)
    if "calendar" not in connection.refused:
        open_calendars()
    if "mail" in connection.refused or mailbox.options.backfill_months == 0:
        _connected(served)
        return
    now = served.clock.now()
    start_backfill(served, after=window_start(now, mailbox.options.backfill_months), before=now)


def window_start(now: datetime, months: int) -> datetime:
    return now - timedelta(days=round(months * DAYS_A_MONTH))


def pin_cursor(served: ServedMailbox) -> None:
    """The history id now, before anything is listed (I2). A mailbox that was connected before keeps its cursor: the
    history since then, or the gap if it is too old, is read from there."""
    if served.streams.get() is not None:
        served.tasks.create([sync_task(*served.ids.values(), "opened", served.clock.now().isoformat(), wish=None)])
        return
    pinned_at = served.clock.now()
    stream = MailStream(cursor=served.gmail.profile().history_id, read_at=pinned_at)
    try:
        served.store.commit([served.streams.creating(stream)])
    except AlreadyExistsError:
        return


def renew_watch(served: ServedMailbox) -> None:
    """Ask Gmail to watch, or to go on watching; its answer says until when (I5).

    The history id it answers with is not our cursor: the pages in between were not listed.
    """
    watch = served.gmail.start_watch()
    renewed = MailWatch(watch_expires_at=watch.expires_at, renewed_at=served.clock.now())
    served.store.commit([served.streams.writing_watch(renewed)])
    served.log("watch.renewed", expires_at=watch.expires_at.isoformat())


def refresh_own_addresses(served: ServedMailbox) -> bool:
    """Read the mailbox's send-as addresses; True if the set changed (G10). Daily, and on connect.

    Addresses that were in the set stay known as this user's: mail sent from them stays theirs.
    """
    fresh = frozenset(untagged(normalize(address)) for address in served.gmail.own_addresses())

    def attempt() -> bool:
        mailboxes = Mailboxes(served.store)
        stored = mailboxes.get(served.mailbox_id)
        own = stored.value.own | fresh
        after = replace(stored.value, own=own, own_refreshed_at=served.clock.now())
        added = own - stored.value.own
        served.store.commit([mailboxes.updating(after, stored.version), *_known_writes(served, stored.value, added)])
        return bool(added)

    return guarded(served.jitter, f"mailbox {served.mailbox_id}", attempt)


def _known_writes(served: ServedMailbox, mailbox: MailboxRecord, added: frozenset[str]) -> list[Write]:
    addresses = Addresses(served.store, Organizations(served.store).get().index_key)
    return [addresses.adding(Known(address, "user", mailbox.user_id)) for address in sorted(added)]


def _connected(served: ServedMailbox) -> None:
    def attempt() -> None:
        mailboxes = Mailboxes(served.store)
        stored = mailboxes.get(served.mailbox_id)
        if stored.value.status is Status.IMPORTING:
            served.store.commit([mailboxes.updating(replace(stored.value, status=Status.CONNECTED), stored.version)])

    guarded(served.jitter, f"mailbox {served.mailbox_id}", attempt)

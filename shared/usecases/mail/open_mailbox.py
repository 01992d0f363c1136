"""What follows a connect, in the order that loses nothing: pin, watch, channels, past (I2, G7, G8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.backfill import window_start
from shared.domain.ledger import DECIDED_BY_OWN_ADDRESSES
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.mailbox import MailboxRecord, MailStream, MailWatch, Status
from shared.domain.matching import Known
from shared.errors import AlreadyExistsError
from shared.ports.documents import Write
from shared.records.addresses import Addresses
from shared.records.connections import Connections
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.store import guarded
from shared.usecases.mail.backfill_mailbox import start_backfill
from shared.usecases.mail.catch_up_mailbox import catch_up_mailbox
from shared.usecases.mail.catch_up_missed import promise_missed
from shared.usecases.mail.queue_work import sync_task
from shared.usecases.mail.served import ServedMailbox


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
        promise_missed(served)
    if "calendar" not in connection.refused:
        open_calendars()
    if "mail" in connection.refused or mailbox.options.backfill_months == 0:
        _connected(served)
        return
    now = served.clock.now()
    start_backfill(served, after=window_start(now, mailbox.options.backfill_months), before=now)


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


def refresh_own_addresses(served: ServedMailbox) -> None:
    """Read the mailbox's send-as addresses, daily and on connect, and decide anew what a further one changes (G10).

    Addresses that were in the set stay known as this user's: mail sent from them stays theirs. A new one turns only
    mail that names it, so a search finds all there is to decide. It stays noted as unsearched until that is queued.
    """
    fresh = frozenset(untagged(normalize(address)) for address in served.gmail.own_addresses())

    already_read = served.streams.get() is not None

    def refresh() -> frozenset[str]:
        mailboxes = Mailboxes(served.store)
        stored = mailboxes.get(served.mailbox_id)
        added = fresh - stored.value.own
        unsearched = stored.value.unsearched | (added if already_read else frozenset())
        now = served.clock.now()
        after = replace(stored.value, own=stored.value.own | fresh, unsearched=unsearched, own_refreshed_at=now)
        served.store.commit([mailboxes.updating(after, stored.version), *_known_writes(served, stored.value, added)])
        return unsearched

    unsearched = guarded(served.jitter, f"mailbox {served.mailbox_id}", refresh)
    if not unsearched:
        return
    catch_up_mailbox(served, sorted(unsearched), DECIDED_BY_OWN_ADDRESSES, logged_too=True)

    def searched() -> None:
        mailboxes = Mailboxes(served.store)
        stored = mailboxes.get(served.mailbox_id)
        after = replace(stored.value, unsearched=stored.value.unsearched - unsearched)
        served.store.commit([mailboxes.updating(after, stored.version)])

    guarded(served.jitter, f"mailbox {served.mailbox_id}", searched)


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

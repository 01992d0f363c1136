"""Begin to follow a mailbox's calendars: streams, channels, then the first reading (G24, G29, I2)."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.backfill import window_start
from shared.domain.calendar.copy import stream_id_of
from shared.domain.calendar.stream import CalendarStream
from shared.ports.documents import Documents
from shared.records.mailboxes import Mailboxes
from shared.records.store import guarded
from shared.usecases.calendar.queue_work import Cause, sync_task
from shared.usecases.calendar.renew_channel import renew_channel
from shared.usecases.calendar.served import ServedCalendars


def open_calendars(served: ServedCalendars, *, documents: Documents, selected_too: bool = False) -> None:
    """Follow the primary calendar, or every one the person has shown. Safe to repeat.

    The channel is there before the first reading begins, so no change falls between them. A calendar that was followed
    before goes on from its sync token.
    """
    mailbox = Mailboxes(served.store).get(served.mailbox_id).value
    if not mailbox.served:
        return
    now = served.clock.now()
    since = window_start(now, mailbox.options.backfill_months)
    for listing in served.calendar.calendars():
        if listing.primary or (selected_too and listing.selected):
            stream = CalendarStream(stream_id_of(listing.calendar_id), listing.calendar_id, since)
            _ensure_stream(served, stream)
            renew_channel(served, stream.stream_id, documents=documents)
            ids = (served.store.tenant, served.mailbox_id, stream.stream_id)
            served.tasks.create([sync_task(*ids, Cause.CONNECT, now.isoformat())])


def _ensure_stream(served: ServedCalendars, fresh: CalendarStream) -> None:
    """Create it, or open it again if its calendar was gone for a time."""

    def attempt() -> None:
        stored = served.streams.find(fresh.stream_id)
        if stored is None:
            served.store.commit([served.streams.creating(fresh)])
        elif stored.value.closed:
            served.store.commit([served.streams.updating(replace(stored.value, closed=False), stored.version)])

    guarded(served.jitter, f"calendar stream {fresh.stream_id}", attempt)

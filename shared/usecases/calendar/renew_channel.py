"""Open, replace and stop the channels that tell of calendars' changes (G29, I5).

There is no renewing: a new channel is opened, and then the old one is stopped. Row and route are stored before the
call, because the first notice may come before its answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from shared.domain.calendar.stream import CalendarStream, CalendarWatch, Channel, token_digest
from shared.domain.outbox import Promise, promise
from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    ConnectionRevokedError,
    ContendedError,
    ForbiddenError,
    NotFoundError,
    StaleWriteError,
)
from shared.ports.calendar import OpenedChannel
from shared.ports.documents import Documents, Version
from shared.records.calendar import stream_of
from shared.records.followups import Outbox
from shared.records.mailboxes import Mailboxes
from shared.records.routes import Target, adding_route, removing_route
from shared.usecases.calendar.queue_work import Cause, sync_task
from shared.usecases.calendar.served import ServedCalendars
from shared.usecases.promises import keep_promise_tasks

ROUTE = "calendar_channel"


def renew_channel(served: ServedCalendars, stream_id: str, *, documents: Documents) -> None:
    """Open a channel in place of the one that ends soon, or of none. One that lasts is left alone.

    stream_id: may be that of the channel's own document, as the sweep of ending watches finds it. A crash after the
    call leaves a channel that runs and is known as an orphan; the next renewal has it stopped.
    """
    stream_id = stream_of(stream_id)
    stream = served.streams.get(stream_id).value
    stored = served.streams.watch(stream_id)
    watch, now = stored.value if stored else CalendarWatch(), served.clock.now()
    if stream.closed or not watch.due(now) or not Mailboxes(served.store).get(served.mailbox_id).value.served:
        return
    token = served.chance.token()
    begun = watch.begun(Channel(served.chance.token(), token_digest(token), opened_at=now))
    assert begun.opening is not None
    channel_id = begun.opening.channel_id
    row = served.streams.writing_watch(stream_id, begun, stored.version if stored else None)
    route = adding_route(ROUTE, channel_id, _target(served, stream_id))
    try:
        version = documents.commit([*served.store.absolute([row]), route])[0]
    except (StaleWriteError, AlreadyExistsError):
        raise ContendedError(f"the channel of calendar stream {stream_id} is being renewed") from None
    opened = served.calendar.open_channel(
        stream.calendar_id, channel_id=channel_id, token=token, address=served.push_url
    )
    _replace(served, stream, begun, version, opened)


def _replace(
    served: ServedCalendars, stream: CalendarStream, begun: CalendarWatch, version: Version, opened: OpenedChannel
) -> None:
    """The new channel takes over; stopping the old ones is promised in the same commit."""
    after = begun.opened(opened.resource_id, opened.expires_at)
    old = [channel for channel in (begun.channel, *begun.orphans) if channel]
    outbox = Outbox(served.store)
    # A renewal that gave way has promised to stop its own channel already.
    stops = [
        stop
        for stop in _stops(served, stream.stream_id, old, opened.resource_id)
        if outbox.find(stop.promise_id) is None
    ]
    row = served.streams.writing_watch(stream.stream_id, after, version)
    try:
        served.store.commit([row, *(outbox.creating(stop) for stop in stops)])
    except AlreadyExistsError:
        raise ContendedError(f"the channel of calendar stream {stream.stream_id} is being renewed") from None
    except StaleWriteError:
        _give_way(served, stream.stream_id, after)
        return
    served.tasks.create(keep_promise_tasks(stops))
    served.log("channel.opened", stream=stream.stream_id, expires_at=opened.expires_at.isoformat())
    if begun.watch_expires_at is not None and begun.watch_expires_at <= served.clock.now():
        # Nobody has told us of changes for a while: read what there was.
        ids = (served.store.tenant, served.mailbox_id, stream.stream_id)
        served.tasks.create([sync_task(*ids, Cause.POLL, opened.expires_at.isoformat())])


def _give_way(served: ServedCalendars, stream_id: str, mine: CalendarWatch) -> None:
    """Another renewal was quicker. It knows of this channel, and may have had it stopped before it ran.

    Raises: ContendedError while no channel of the other's runs: it may have died on its way to one.
    """
    stored = served.streams.watch(stream_id)
    assert mine.channel is not None
    if stored is not None and stored.value.channel == mine.channel:
        return  # it was our own commit that was quicker: its answer was lost on the way
    stops = _stops(served, stream_id, [mine.channel])
    with suppress(AlreadyExistsError):
        served.store.commit([Outbox(served.store).creating(stop) for stop in stops])
    served.tasks.create(keep_promise_tasks(stops))
    if stored is not None and stored.value.due(served.clock.now()):
        raise ContendedError(f"the channel of calendar stream {stream_id} is being opened")


def _stops(
    served: ServedCalendars, stream_id: str, channels: Iterable[Channel], resource_id: str = ""
) -> list[Promise]:
    """resource_id: of the calendar, for channels whose opening was never answered."""
    now = served.clock.now()
    return [
        promise(
            "channel_stop",
            {
                **served.ids,
                "stream": stream_id,
                "channel": channel.channel_id,
                "resource": channel.resource_id or resource_id,
            },
            now,
            served.mailbox_id,
            channel.channel_id,
        )
        for channel in channels
    ]


def stop_channel(
    served: ServedCalendars, stream_id: str, channel_id: str, resource_id: str, *, documents: Documents
) -> None:
    """Stop a channel that was replaced, and forget its route. Safe to repeat."""
    _close_if_ours(served, channel_id, resource_id)
    documents.commit([removing_route(ROUTE, channel_id, _target(served, stream_id))])
    served.log("channel.stopped", stream=stream_id)


def close_calendars(served: ServedCalendars, *, documents: Documents) -> None:
    """Stop every channel of a mailbox that is disconnected. Its streams stay, for the day it comes back."""
    for stream in served.streams.all():
        stored = served.streams.watch(stream.stream_id)
        if stored is None:
            continue
        watch = stored.value
        channels = [channel for channel in (watch.channel, watch.opening, *watch.orphans) if channel]
        resource_id = next((channel.resource_id for channel in channels if channel.resource_id), None)
        for channel in channels:
            if resource_id is not None:
                _close_if_ours(served, channel.channel_id, resource_id)
        target = _target(served, stream.stream_id)
        routes = [removing_route(ROUTE, channel.channel_id, target) for channel in channels]
        documents.commit([*served.store.absolute([served.streams.deleting_watch(stream.stream_id)]), *routes])


def _close_if_ours(served: ServedCalendars, channel_id: str, resource_id: str) -> None:
    """A channel that the vendor no longer lets us stop has ended with the grant, or ends by itself within days."""
    with suppress(ConnectionRevokedError, AdminActionError, NotFoundError, ForbiddenError):
        served.calendar.close_channel(channel_id, resource_id)


def _target(served: ServedCalendars, stream_id: str) -> Target:
    return Target(served.store.tenant, served.mailbox_id, stream_id)

"""Whether nothing is left undone: no task, promise, queued row, lease, unfinished reading, watch or channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.backfill import Phase
from shared.domain.mailbox import MailboxRecord, Status
from shared.domain.quarantine import ParkedState
from shared.ports.documents import Query
from shared.records.calendar import CalendarStreams
from shared.records.connections import Connections
from shared.records.followups import PARKED
from shared.records.mailboxes import MailStreams
from shared.records.routes import Routes
from shared.usecases.read_receipt import read_receipt
from tests.simulation.plan import Seat
from tests.simulation.scene import Scene

OVERDUE = timedelta(minutes=2)
"""What is due for longer at the moment of the check is stuck: nothing is delivered late any more."""

WATCH_COMES_BACK = timedelta(hours=26)
"""A watch that Google forgot is renewed with the next daily renewal."""

EXPECTED_TO_PARK = frozenset({"message"})


def undone(scene: Scene) -> list[str]:
    """In words, what is not at rest."""
    found = list(_tasks(scene))
    for tenant in scene.tenants:
        found += [f"{tenant}: {words}" for words in _tenant(scene, tenant)]
    for seat in scene.plan.seats:
        record = scene.record(seat)
        if record is None:
            found.append(f"{_name(seat)}: never connected")
        elif record.served:
            found += [f"{_name(seat)}: {words}" for words in _served(scene, seat, record)]
        found += [f"{_name(seat)}: {words}" for words in _either_way(scene, seat, record)]
    return found


def needing_a_person(scene: Scene) -> list[str]:
    """The named states in which something waits for somebody, and who."""
    states = []
    for seat in scene.plan.seats:
        record = scene.record(seat)
        if record is not None and not record.served:
            states.append(f"{_name(seat)}: {record.status.value}")
    return states


def _name(seat: Seat) -> str:
    return f"{seat.account} in {seat.tenant}"


def _tasks(scene: Scene) -> Iterator[str]:
    for task in scene.cloud.tasks.pending():
        due = task.not_before or scene.cloud.queued_at[task.queue, task.name]
        if due + OVERDUE < scene.now:
            yield f"task {task.function} is due since {due:%H:%M:%S}"


def _tenant(scene: Scene, tenant: str) -> Iterator[str]:
    store = scene.cloud.store(tenant)
    for found in store.find(Query("outbox")):
        yield f"promise {found.fields['function']} of {found.fields['promised_at']:%H:%M:%S} is not kept"
    for found in store.find(Query("quarantine")):
        parked = PARKED.value(found.fields)
        if parked.state is ParkedState.PARKED and parked.kind not in EXPECTED_TO_PARK:
            yield f"parked {parked.kind}: {parked.reason} ({dict(parked.ids)})"
    for connection in Connections(store).all():
        stored = Connections(store).credentials(connection.connection_id)
        if stored is not None and not stored.value.lease.free(scene.now):
            yield f"credentials of {connection.account} are leased"


def _served(scene: Scene, seat: Seat, record: MailboxRecord) -> Iterator[str]:
    store = scene.cloud.store(seat.tenant)
    streams = MailStreams(store, record.mailbox_id)
    if record.status is not Status.CONNECTED:
        yield f"is {record.status.value}"
    if record.unsearched:
        yield "own addresses are not searched"
    stream, run, watch = streams.get(), streams.backfill(), streams.watch()
    if stream is None:
        yield "has no stream"
        return
    if stream.value.gap or stream.value.reading:
        yield "a reading of the history is unfinished"
    if scene.now - stream.value.read_at > timedelta(minutes=11):
        yield f"history was read last at {stream.value.read_at:%H:%M:%S}"
    if run is None or run.value.phase is not Phase.DONE:
        yield "the backfill is unfinished"
    if watch is None or watch.value.watch_expires_at <= scene.now:
        yield "no watch is stored"
    if scene.cloud.gmail.pushes.live(seat.account) is None and not _lapsed_lately(scene, seat.account):
        yield "Google watches no more"
    receipt = read_receipt(store, record.mailbox_id, scene.cloud.clock)
    if receipt.unexplained or receipt.waiting or not receipt.balanced:
        yield f"receipt: {receipt.unexplained} unexplained, {receipt.waiting} waiting, balanced: {receipt.balanced}"
    yield from _calendars(scene, seat, record)


def _lapsed_lately(scene: Scene, account: str) -> bool:
    lapsed_at = scene.cloud.lapsed_at.get(account)
    return lapsed_at is not None and scene.now - lapsed_at < WATCH_COMES_BACK


def _calendars(scene: Scene, seat: Seat, record: MailboxRecord) -> Iterator[str]:
    store = scene.cloud.store(seat.tenant)
    streams = CalendarStreams(store, record.mailbox_id)
    found = streams.all()
    if not found:
        yield "has no calendar"
    for stream in found:
        if stream.closed:
            yield "its calendar is closed"
        if stream.page or stream.absence or stream.sync_token is None:
            yield "a reading of the calendar is unfinished"
        if stream.read_at is None or scene.now - stream.read_at > timedelta(minutes=11):
            yield f"the calendar was read last at {stream.read_at}"
        stored = streams.watch(stream.stream_id)
        if stored is None or stored.value.channel is None or (stored.value.watch_expires_at or scene.now) <= scene.now:
            yield "no channel is stored"
            continue
        running = scene.cloud.calendars[seat.account].running()
        channel_id = stored.value.channel.channel_id
        if channel_id not in running and channel_id not in scene.cloud.channels_lost:
            yield f"channel {channel_id[:8]} does not run"
    for row in store.find(Query(f"mailboxes/{record.mailbox_id}/copies")):
        if row.fields["rebuild_at"] is not None:
            yield f"copy of {row.fields['event']['event_id']} waits for its rebuild"


def _either_way(scene: Scene, seat: Seat, record: MailboxRecord | None) -> Iterator[str]:
    """What holds for a mailbox in whatever state."""
    if record is None:
        return
    store = scene.cloud.store(seat.tenant)
    stream = MailStreams(store, record.mailbox_id).get()
    if stream is not None and not stream.value.lease.free(scene.now):
        yield "the history is leased"
    for calendar in CalendarStreams(store, record.mailbox_id).all():
        if not calendar.lease.free(scene.now):
            yield "a calendar is leased"
    targets = Routes(scene.cloud.documents).targets("gmail", seat.account)
    routed = any(target.tenant == seat.tenant for target in targets)
    if routed is (record.status is Status.DISCONNECTED):
        yield f"is {record.status.value} and {'' if routed else 'not '}routed"
    if record.status is Status.DISCONNECTED:
        kept = Connections(store).credentials(record.connection_id)
        if kept is not None:
            yield "is disconnected and its tokens are kept"

"""Build a meeting from all copies of it: events, timeline entries, and when its series rolls on (G25, I10, I18, I19).

Everything is derived, so a rebuild may run at any time, twice, or after a crash in its middle. Of two at once the
meeting's version lets one finish. Only occurrences that changed are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared import log
from shared.domain.calendar.copy import EventCopy
from shared.domain.calendar.meeting import (
    HORIZON,
    NO_EXPANSION,
    Built,
    Expansion,
    Holding,
    HoldingRef,
    Meeting,
    Occurrence,
    holding_of,
    meeting_entry,
    occurrences_of,
    people_named,
    series_of,
)
from shared.domain.calendar.rules import Matched, decide_event
from shared.domain.ids import digest
from shared.domain.mail.addresses import Address
from shared.domain.mail_rules import Holder, Lookup
from shared.domain.mailbox import MailboxRecord
from shared.domain.matching import Known
from shared.domain.message import participant_keys
from shared.domain.quarantine import Parked
from shared.domain.settings import Organization
from shared.domain.values import dataclass
from shared.errors import PayloadError
from shared.ports.calendar import Recurrence
from shared.ports.documents import Write
from shared.ports.time import Clock, Jitter
from shared.records.calendar import OCCURRENCE, Copies, Events, Meetings
from shared.records.mail import Timelines, contact_owner
from shared.records.mailboxes import MAILBOX, mailbox_path
from shared.records.organizations import Organizations
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored, stored
from shared.usecases.calendar.decide_events import look_up_people
from shared.usecases.calendar.queue_work import rebuild_task
from shared.usecases.quarantine import park

UNREADABLE_SERIES = "series"

WRITES_A_COMMIT = 400
"""A daily series with many guests makes more than one commit may weigh (10 MiB)."""


def rebuild_meeting(
    store: TenantStore, meeting_id: str, *, recurrence: Recurrence, clock: Clock, jitter: Jitter
) -> None:
    """Make events and timelines what the copies say. A meeting nobody holds leaves nothing behind.

    A series whose rule cannot be read is parked and keeps what was built from it before.
    """
    reason = guarded(jitter, f"meeting {meeting_id}", lambda: _Rebuild(store, meeting_id, clock.now()).run(recurrence))
    if reason is not None:
        task = rebuild_task(store.tenant, meeting_id)
        payload = {name: str(value) for name, value in task.payload.items()}
        ids = {"meeting": meeting_id}
        parked = Parked(
            UNREADABLE_SERIES, meeting_id, reason, clock.now(), ids, task.queue, task.function, payload=payload
        )
        park(store, parked, jitter)


@dataclass(frozen=True, slots=True)
class _Material:
    """Everything a meeting is built from."""

    organization: Organization
    rows: Sequence[tuple[HoldingRef, Stored[EventCopy]]]
    holdings: Sequence[Holding]
    lookup: Lookup


class _Rebuild:
    """One attempt, from reading to the last commit."""

    def __init__(self, store: TenantStore, meeting_id: str, now: datetime) -> None:
        self._store = store
        self._meeting_id = meeting_id
        self._now = now
        self._meetings = Meetings(store)

    def run(self, recurrence: Recurrence) -> str | None:
        """The reason why the series cannot be read, or None.

        Raises: StaleWriteError where somebody wrote in between.
        """
        found = self._meetings.find(self._meeting_id)
        if found is None:
            return None
        material = _gathered(self._store, found.value)
        marks = self._marks(material)
        try:
            expansion = self._expanded(material, recurrence)
        except PayloadError as unreadable:
            self._commit(found, found.value, [], marks)
            return str(unreadable)
        occurrences = {
            occurrence.event_id: _with_keys(occurrence, material.organization)
            for occurrence in occurrences_of(self._meeting_id, material.holdings, expansion, _guests_known(material))
        }
        rolled = replace(found.value, roll_at=expansion.next_start_at - HORIZON if expansion.next_start_at else None)
        changes = list(self._changes(found.value.built, occurrences))
        if changes or marks or rolled != found.value:
            self._commit(found, rolled, changes, marks)
            log.event("meeting.built", tenant=self._store.tenant, meeting=self._meeting_id, changed=len(changes))
        return None

    def _expanded(self, material: _Material, recurrence: Recurrence) -> Expansion:
        series = series_of(material.holdings)
        if series is None:
            return NO_EXPANSION
        since = min(holding.since for holding in material.holdings)
        return recurrence.expand(series, since, self._now + HORIZON)

    def _marks(self, material: _Material) -> list[Write]:
        """The rows that waited are told, at the very version they were read."""
        return [
            Copies(self._store, ref.mailbox_id).built_into(row.value, self._meeting_id, row.version)
            for ref, row in material.rows
            if row.value.rebuild_at is not None or row.value.meeting_id != self._meeting_id
        ]

    def _changes(
        self, before: Mapping[str, Built], after: Mapping[str, Occurrence]
    ) -> Iterator[tuple[str, Built | None, list[Write]]]:
        """For each occurrence that differs from what stands: its id, what stands then, and the writes."""
        events, timelines = Events(self._store), Timelines(self._store)
        for event_id, built in before.items():
            if event_id not in after:
                entries = [timelines.deleting(contact_owner(contact), event_id) for contact in built.contact_ids]
                yield event_id, None, [events.deleting(event_id), *entries]
        for event_id, occurrence in after.items():
            built = Built(digest(repr(OCCURRENCE.fields(occurrence))), occurrence.contact_ids)
            earlier = before.get(event_id)
            if earlier == built:
                continue
            left = [contact for contact in (earlier.contact_ids if earlier else ()) if contact not in built.contact_ids]
            yield (
                event_id,
                built,
                [
                    events.writing(occurrence),
                    *(timelines.deleting(contact_owner(contact), event_id) for contact in left),
                    *(
                        timelines.writing(contact_owner(contact), meeting_entry(occurrence, contact))
                        for contact in occurrence.contact_ids
                    ),
                ],
            )

    def _commit(
        self,
        found: Stored[Meeting],
        target: Meeting,
        changes: Sequence[tuple[str, Built | None, list[Write]]],
        marks: list[Write],
    ) -> None:
        """Occurrence by occurrence, in few commits; `built` always tells what stands. The rows are told last."""
        meeting, version = found.value, found.version
        pending: list[Write] = []

        def flush(after: Meeting, last: list[Write]) -> None:
            nonlocal meeting, version, pending
            meeting = replace(after, revision=meeting.revision + 1)
            version = self._store.commit([self._meetings.building(meeting, version), *pending, *last])[0]
            pending = []

        for event_id, built, writes in changes:
            if pending and len(pending) + len(writes) > WRITES_A_COMMIT:
                flush(meeting, [])
            pending += writes
            kept = {known: stands for known, stands in meeting.built.items() if known != event_id}
            meeting = replace(meeting, built={**kept, event_id: built} if built else kept)
        flush(replace(meeting, roll_at=target.roll_at), marks)


def _gathered(store: TenantStore, meeting: Meeting) -> _Material:
    refs = sorted(meeting.holdings.values(), key=lambda ref: ref.key)
    organization = Organizations(store).get()
    mailboxes = _mailboxes(store, {ref.mailbox_id for ref in refs})
    by_ref = [
        (ref, Copies(store, ref.mailbox_id).of_root(ref.stream_id, ref.root_id))
        for ref in refs
        if ref.mailbox_id in mailboxes
    ]
    lookup = look_up_people(store, organization, (row.value.event for _, rows in by_ref for row in rows))
    holdings = [
        _holding(ref, [row.value for row in rows], mailboxes[ref.mailbox_id], organization, lookup)
        for ref, rows in by_ref
    ]
    return _Material(organization, [(ref, row) for ref, rows in by_ref for row in rows], holdings, lookup)


def _mailboxes(store: TenantStore, mailbox_ids: set[str]) -> dict[str, MailboxRecord]:
    documents = store.get_all([mailbox_path(mailbox_id) for mailbox_id in sorted(mailbox_ids)])
    found = (stored(MAILBOX, document) for document in documents)
    return {mailbox.value.mailbox_id: mailbox.value for mailbox in found if mailbox}


def _holding(
    ref: HoldingRef, copies: Sequence[EventCopy], mailbox: MailboxRecord, organization: Organization, lookup: Lookup
) -> Holding:
    """The copies are decided once more: a list or a contact that changed since holds at once."""
    holder = Holder(mailbox.viewer, mailbox.own, mailbox.options)
    loggable = frozenset(
        copy.copy_id
        for copy in copies
        if copy.logged and isinstance(decide_event(copy.event, holder, organization, lookup, since=ref.since), Matched)
    )
    return holding_of(mailbox.viewer, mailbox.options.share, ref.since, ref.root_id, copies, loggable)


def _guests_known(material: _Material) -> dict[str, tuple[Known, ...]]:
    emails = {guest.email for _, row in material.rows for guest in row.value.event.guests}
    return {email: material.lookup.of(Address(email)) for email in emails}


def _with_keys(occurrence: Occurrence, organization: Organization) -> Occurrence:
    people = (Address(email) for email in people_named(occurrence))
    return replace(occurrence, participant_keys=participant_keys(organization.index_key, people))

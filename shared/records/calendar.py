"""Calendar streams, their copies, and the meetings and events of a tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from shared.domain.calendar.copy import IN_CALENDAR, CopyState, EventCopy
from shared.domain.calendar.meeting import HoldingRef, Meeting, Occurrence
from shared.domain.calendar.stream import CalendarStream, CalendarWatch
from shared.errors import NotFoundError
from shared.ports.documents import (
    ID,
    Conditions,
    Create,
    Delete,
    Increment,
    Merge,
    Query,
    Replace,
    Update,
    Version,
    Write,
)
from shared.records.codec import VERSION, Kind, encode
from shared.records.mailboxes import MAIL, mailbox_path
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

STREAM: Kind[CalendarStream] = Kind(CalendarStream)
WATCH: Kind[CalendarWatch] = Kind(CalendarWatch)
COPY: Kind[EventCopy] = Kind(EventCopy)
MEETING: Kind[Meeting] = Kind(Meeting)
OCCURRENCE: Kind[Occurrence] = Kind(Occurrence)

CHANNEL_SUFFIX = "-channel"
"""Of the documents that tell of a stream's channel, beside it in `streams`."""


Side = Literal["contact_ids", "company_ids", "user_ids"]
"""Whose meetings: those of a contact, a company or a user."""


class CalendarStreams:
    """The calendar streams of one mailbox, and the wish beside each."""

    def __init__(self, store: TenantStore, mailbox_id: str) -> None:
        self._store = store
        self._base = mailbox_path(mailbox_id)

    def path(self, stream_id: str) -> str:
        return f"{self._base}/streams/{stream_id}"

    def find(self, stream_id: str) -> Stored[CalendarStream] | None:
        return stored(STREAM, self._store.get(self.path(stream_id)))

    def get(self, stream_id: str) -> Stored[CalendarStream]:
        """Raises: NotFoundError."""
        found = self.find(stream_id)
        if found is None:
            raise NotFoundError(f"calendar stream {stream_id} does not exist")
        return found

    def all(self) -> list[CalendarStream]:
        found = self._store.find(Query(f"{self._base}/streams", order_by=(ID,)))
        return [STREAM.value(document.fields) for document in found if _is_calendar(document.id)]

    def creating(self, stream: CalendarStream) -> Write:
        return Create(self.path(stream.stream_id), STREAM.fields(stream))

    def updating(self, stream: CalendarStream, version: Version) -> Write:
        return Update(self.path(stream.stream_id), STREAM.fields(stream), version)

    def watch(self, stream_id: str) -> Stored[CalendarWatch] | None:
        return stored(WATCH, self._store.get(self.path(stream_id + CHANNEL_SUFFIX)))

    def writing_watch(self, stream_id: str, watch: CalendarWatch, version: Version | None) -> Write:
        """version: of the watch this one follows; None where there was none."""
        path, fields = self.path(stream_id + CHANNEL_SUFFIX), WATCH.fields(watch)
        return Create(path, fields) if version is None else Update(path, fields, version)

    def deleting_watch(self, stream_id: str) -> Write:
        return Delete(self.path(stream_id + CHANNEL_SUFFIX))

    def wishing(self, stream_id: str) -> Write:
        return Merge(self._wanted_path(stream_id), {VERSION: 1, "wishes": Increment(1)})

    def wishes(self, stream_id: str) -> int:
        """How often somebody wished for a reading; it only grows."""
        document = self._store.get(self._wanted_path(stream_id))
        return int(document.fields["wishes"]) if document else 0

    def _wanted_path(self, stream_id: str) -> str:
        return f"{self._base}/wanted/{stream_id}"


def stream_of(document_id: str) -> str:
    """The stream a document in `streams` belongs to, given its own id or that of its channel."""
    return document_id.removesuffix(CHANNEL_SUFFIX)


def _is_calendar(document_id: str) -> bool:
    return not document_id.startswith(MAIL) and not document_id.endswith(CHANNEL_SUFFIX)


class Copies:
    """The event copies of all calendars of one mailbox."""

    def __init__(self, store: TenantStore, mailbox_id: str) -> None:
        self._store = store
        self._rows = f"{mailbox_path(mailbox_id)}/copies"

    def path(self, copy_id: str) -> str:
        return f"{self._rows}/{copy_id}"

    def get_all(self, copy_ids: Sequence[str]) -> dict[str, EventCopy]:
        """Rows by their ids; an id without a row is absent."""
        documents = self._store.get_all([self.path(copy_id) for copy_id in copy_ids])
        return {row.value.copy_id: row.value for document in documents if (row := stored(COPY, document))}

    def of_root(self, stream_id: str, root_id: str) -> list[Stored[EventCopy]]:
        """The rows of one calendar under one root event: the event, or the series and its instances."""
        return self._find(Query(self._rows, where=(("stream_id", "==", stream_id), ("root_id", "==", root_id))))

    def absent(self, stream_id: str, generation: int, limit: int) -> list[Stored[EventCopy]]:
        """Rows in the calendar that were last stated before `generation`."""
        return self._find(
            Query(self._rows, where=_in_calendar(stream_id, generation), order_by=("generation",), limit=limit)
        )

    def count_absent(self, stream_id: str, generation: int) -> int:
        return self._store.count(Query(self._rows, where=_in_calendar(stream_id, generation)))

    def count_in_calendar(self, stream_id: str) -> int:
        return self._store.count(Query(self._rows, where=_in_calendar(stream_id, None)))

    def logged(self, *, after: str | None, limit: int) -> list[EventCopy]:
        """Rows whose content is kept, in id order."""
        start = (self.path(after),) if after else None
        where: Conditions = (("state", "==", CopyState.LOGGED.value),)
        query = Query(self._rows, where=where, order_by=(ID,), limit=limit, start_after=start)
        return [row.value for row in self._find(query)]

    def waiting_before(self, moment: datetime, limit: int) -> list[Stored[EventCopy]]:
        """Rows that have waited for their meeting's rebuild since `moment` or longer, oldest first."""
        return self._find(
            Query(self._rows, where=(("rebuild_at", "<=", moment),), order_by=("rebuild_at",), limit=limit)
        )

    def writing(self, copy: EventCopy) -> Write:
        """Unguarded: only the lease holder writes what a calendar says, in a commit the lease guards."""
        return Replace(self.path(copy.copy_id), COPY.fields(copy))

    def stating(self, copy: EventCopy) -> Write:
        """The same row, stated again by a newer generation."""
        return Update(self.path(copy.copy_id), {"generation": copy.generation})

    def requeueing(self, copy: EventCopy, version: Version) -> Write:
        return Update(self.path(copy.copy_id), {"rev": copy.rev, "rebuild_at": copy.rebuild_at}, version)

    def built_into(self, copy: EventCopy, meeting_id: str, version: Version) -> Write:
        """The meeting was rebuilt from this very row."""
        return Update(self.path(copy.copy_id), {"meeting_id": meeting_id, "rebuild_at": None}, version)

    def _find(self, query: Query) -> list[Stored[EventCopy]]:
        return [Stored(COPY.value(found.fields), found.version) for found in self._store.find(query)]


def _in_calendar(stream_id: str, before_generation: int | None) -> Conditions:
    states = sorted(state.value for state in IN_CALENDAR)
    where: Conditions = (("stream_id", "==", stream_id), ("state", "in", states))
    return where if before_generation is None else (*where, ("generation", "<", before_generation))


class Meetings:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def path(self, meeting_id: str) -> str:
        return f"meetings/{meeting_id}"

    def find(self, meeting_id: str) -> Stored[Meeting] | None:
        return stored(MEETING, self._store.get(self.path(meeting_id)))

    def holding(self, meeting_id: str, ref: HoldingRef) -> Write:
        """A calendar holds copies of it. Commutes with every other holder's."""
        fields = {VERSION: MEETING.version, "meeting_id": meeting_id, "holdings": {ref.key: encode(ref)}}
        return Merge(self.path(meeting_id), fields)

    def building(self, meeting: Meeting, version: Version) -> Write:
        """What was built. The holdings stay as others write them."""
        fields = {"built": encode(meeting.built), "roll_at": meeting.roll_at, "revision": meeting.revision}
        return Update(self.path(meeting.meeting_id), fields, version)


class Events:
    """What takes place: rows by occurrence, with everything a page shows of a meeting."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def path(self, event_id: str) -> str:
        return f"events/{event_id}"

    def find(self, event_id: str) -> Occurrence | None:
        document = self._store.get(self.path(event_id))
        return OCCURRENCE.value(document.fields) if document else None

    def writing(self, occurrence: Occurrence) -> Write:
        """The whole row as rebuilt, in a commit that the meeting's version guards."""
        return Replace(self.path(occurrence.event_id), OCCURRENCE.fields(occurrence))

    def deleting(self, event_id: str) -> Write:
        return Delete(self.path(event_id))

    def last_before(self, side: Side, id_: str, moment: datetime) -> Occurrence | None:
        """The newest meeting that began at or before `moment`."""
        where: Conditions = ((side, "array_contains", id_), ("start_at", "<=", moment))
        return self._first(Query("events", where=where, order_by=("-start_at",), limit=1))

    def next_after(self, side: Side, id_: str, moment: datetime) -> Occurrence | None:
        where: Conditions = ((side, "array_contains", id_), ("start_at", ">", moment))
        return self._first(Query("events", where=where, order_by=("start_at",), limit=1))

    def count_between(self, side: Side, id_: str, since: datetime, until: datetime) -> int:
        """Meetings that began after `since`, up to `until`."""
        where: Conditions = (
            (side, "array_contains", id_),
            ("start_at", ">", since),
            ("start_at", "<=", until),
        )
        return self._store.count(Query("events", where=where))

    def between(self, side: Side, id_: str, since: datetime, until: datetime, limit: int) -> list[Occurrence]:
        """The very rows that `count_between` counts, newest first."""
        where: Conditions = (
            (side, "array_contains", id_),
            ("start_at", ">", since),
            ("start_at", "<=", until),
        )
        found = self._store.find(Query("events", where=where, order_by=("-start_at",), limit=limit))
        return [OCCURRENCE.value(document.fields) for document in found]

    def of_participant(self, participant_key: str, *, after: str | None, limit: int) -> list[Occurrence]:
        """Meetings somebody is named in, in id order (R7)."""
        start = (self.path(after),) if after else None
        where: Conditions = (("participant_keys", "array_contains", participant_key),)
        found = self._store.find(Query("events", where=where, order_by=(ID,), limit=limit, start_after=start))
        return [OCCURRENCE.value(document.fields) for document in found]

    def _first(self, query: Query) -> Occurrence | None:
        found = self._store.find(query)
        return OCCURRENCE.value(found[0].fields) if found else None

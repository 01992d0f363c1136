"""Whether every single message and meeting of the sample became what its story says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from local.google.clock import epoch_ms
from local.run.cast import Cast, Member
from local.run.waiting import until
from local.sample.model import Expected, ExpectedMeeting, MeetingOutcome, Outcome, Sample
from shared.domain.calendar.copy import CopyState, EventCopy, copy_id_of, stream_id_of
from shared.domain.ledger import SeenRow, State
from shared.records.calendar import CalendarStreams, Copies
from shared.records.seen import Seen

CALENDARS_WITHIN_S = 60.0


def surprises_in_mail(cast: Cast, sample: Sample) -> list[str]:
    """One sentence for each copy of a message that became something else."""
    found: list[str] = []
    for member in cast.members:
        ids = {held.internal_ms // 1000: held.gmail_id for held in cast.google.mailbox(member.email)}
        expected = [one for one in sample.expected if one.mailbox == member.email]
        gmail_ids = {one.key: ids[epoch_ms(one.received_at) // 1000] for one in expected}
        rows = Seen(cast.rows.store, member.mailbox_id).get_all(list(gmail_ids.values()))
        for one in expected:
            row = rows.get(gmail_ids[one.key])
            became = _became(row.value if row else None)
            if became != _said(one):
                found.append(f"{one.key} in {member.email} is {became}, expected {_said(one)}")
    return found


def surprises_in_calendars(cast: Cast, expected: Iterable[ExpectedMeeting]) -> list[str]:
    """One sentence for each calendar's copy of an event that became something else."""
    found: list[str] = []
    for one in expected:
        member = cast.by_email(one.mailbox)
        copy_id = copy_id_of(stream_id_of(member.email), one.event_id)
        copy = Copies(cast.rows.store, member.mailbox_id).get_all([copy_id]).get(copy_id)
        became = _meeting_became(copy)
        said = _meeting_said(one)
        if became != said:
            found.append(f"{one.key} in {member.email} is {became}, expected {said}")
    return found


def wait_for_calendars(cast: Cast) -> int:
    """Return how many events were read, once every calendar was and every meeting was built from its copies.

    Raises: NotSeenError.
    """
    until(
        lambda: all(_calendars_read(cast, member) for member in cast.members),
        "the end of reading the calendars",
        within_s=CALENDARS_WITHIN_S,
        every_s=0.1,
    )
    return sum(
        Copies(cast.rows.store, member.mailbox_id).count_in_calendar(stream.stream_id)
        for member in cast.members
        for stream in CalendarStreams(cast.rows.store, member.mailbox_id).all()
    )


def _calendars_read(cast: Cast, member: Member) -> bool:
    streams = CalendarStreams(cast.rows.store, member.mailbox_id).all()
    waiting = Copies(cast.rows.store, member.mailbox_id).waiting_before(datetime.now(UTC), 1)
    return bool(streams) and all(stream.sync_token for stream in streams) and not waiting


def _became(row: SeenRow | None) -> str:
    if row is None:
        return Outcome.UNLISTED
    if row.state is State.LOGGED:
        return Outcome.OWN_RECORD if row.own_record else Outcome.LOGGED
    return f"{row.state}: {row.rule}" if row.rule else str(row.state)


def _said(expected: Expected) -> str:
    return f"{expected.outcome}: {expected.rule}" if expected.rule else expected.outcome


def _meeting_became(copy: EventCopy | None) -> str:
    if copy is None:
        return "unknown"
    return f"{copy.state}: {copy.rule}" if copy.rule else str(copy.state)


def _meeting_said(expected: ExpectedMeeting) -> str:
    if expected.outcome is MeetingOutcome.BUSY:
        return CopyState.BUSY
    return f"{expected.outcome}: {expected.rule}" if expected.rule else expected.outcome

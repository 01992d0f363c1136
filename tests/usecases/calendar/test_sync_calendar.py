"""From a change in a calendar to meetings on timelines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.calendar.event import Answer, Guest, LinkedDocument
from shared.domain.mailbox import Status
from shared.domain.people import Contact
from shared.errors import ConnectionRevokedError, RateLimitedError
from shared.records.followups import Quarantine
from shared.records.mailboxes import Mailboxes
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.sync_calendar import sync_calendar
from tests.usecases.calendar.fake_calendar import OUTAGE, all_day, at, event
from tests.usecases.calendar.world import ANN, ANN_MAILBOX, ANN_STREAM, BEN, BEN_MAILBOX, CARLA, DAN, World


def test_a_meeting_lands_on_the_timeline_of_the_guest_who_is_a_contact(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), ANN, CARLA, location="Room 1", meet_url="https://meet.example/x"))
    world.connect()

    (entry,) = world.timeline("carla")
    assert entry.meeting is not None
    assert (entry.meeting.title, entry.meeting.location) == ("About intro", "Room 1")
    assert (entry.at, entry.meeting.end_at) == (
        datetime(2026, 3, 4, 10, tzinfo=UTC),
        datetime(2026, 3, 4, 11, tzinfo=UTC),
    )
    assert world.timeline("dan") == []


def test_first_guest_who_is_a_contact_is_primary_and_the_rest_additional(world: World) -> None:
    world.ann.put(event("both", at(2026, 3, 4, 10), "stranger@other.example", DAN, CARLA))
    world.connect()

    (occurrence,) = world.events()
    assert occurrence.contact_ids == ("dan", "carla")
    assert occurrence.company_ids == ("client",)
    primary = {contact: world.timeline(contact)[0].meeting.primary for contact in ("dan", "carla")}  # type: ignore[union-attr]  # both are meetings
    assert primary == {"dan": True, "carla": False}


def test_answers_and_documents_are_kept(world: World) -> None:
    guests = (Guest(CARLA, "Carla", Answer.YES), Guest(DAN, "Dan", Answer.NO))
    plan = LinkedDocument("Plan", "https://drive.example/plan", "application/pdf")
    world.ann.put(event("plan", at(2026, 3, 4, 10), guests=guests, documents=(plan,)))
    world.connect()

    (occurrence,) = world.events()
    assert occurrence.documents == (plan,)
    assert world.timeline("carla")[0].meeting.answer == "yes"  # type: ignore[union-attr]  # it is a meeting
    assert world.timeline("dan")[0].meeting.answer == "no"  # type: ignore[union-attr]  # it is a meeting


def test_a_moved_meeting_moves_and_a_deleted_one_goes_at_once(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 5, 15), CARLA))
    world.read()
    assert world.starts() == [datetime(2026, 3, 5, 15, tzinfo=UTC)]

    world.ann.delete("intro")
    world.read()
    assert world.timeline("carla") == []
    assert world.events() == []
    assert "About intro" not in world.words()


def test_a_guest_who_is_taken_off_loses_the_meeting_and_a_new_one_gets_it(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 4, 10), DAN))
    world.read()
    assert world.titles("carla") == []
    assert world.titles("dan") == ["About intro"]


def test_all_day_meetings_stay_days_with_an_exclusive_end(world: World) -> None:
    world.ann.put(event("fair", all_day(date(2026, 3, 4), date(2026, 3, 6)), CARLA))
    world.connect()

    (entry,) = world.timeline("carla")
    assert entry.meeting is not None
    assert entry.meeting.all_day == ("2026-03-04", "2026-03-06")


def test_what_ended_before_the_window_is_not_read(world: World) -> None:
    world.ann.put(event("old", at(2025, 1, 4, 10), CARLA))
    world.ann.put(event("recent", at(2025, 12, 4, 10), CARLA))
    world.connect()
    assert world.titles() == ["About recent"]

    world.ann.put(event("old", at(2025, 1, 4, 10), CARLA, title="Edited after years"))
    world.read()
    assert world.titles() == ["About recent"]
    assert "Edited after years" not in world.words()


def test_pages_are_read_to_the_end(world: World) -> None:
    world.ann.page_size = 3
    for number in range(10):
        world.ann.put(event(f"m{number}", at(2026, 3, 4 + number, 10), CARLA))
    world.connect()
    assert len(world.timeline("carla")) == 10
    assert world.ann.calls.count("events") == 4


def test_one_meeting_in_two_calendars_is_one_entry_with_both_as_readers(world: World) -> None:
    meeting = event("joint", at(2026, 3, 4, 10), ANN, BEN, CARLA)
    world.ann.put(meeting)
    world.ben.put(replace(meeting, event_id="copy-of-joint", organizer_is_self=False))
    world.connect(ANN_MAILBOX, BEN_MAILBOX)

    (occurrence,) = world.events()
    assert occurrence.readers == ("ann:full", "ben:full")
    assert len(world.timeline("carla")) == 1

    world.ben.delete("copy-of-joint")
    world.read(BEN_MAILBOX)
    assert world.events()[0].readers == ("ann:full",)
    assert len(world.timeline("carla")) == 1


def test_the_organizers_copy_is_believed_before_a_guests(world: World) -> None:
    meeting = event("joint", at(2026, 3, 4, 10), ANN, BEN, CARLA, title="Ann's words")
    world.ann.put(meeting)
    world.ben.put(replace(meeting, event_id="copy", organizer_is_self=False, title="Ben's words"))
    world.connect(ANN_MAILBOX, BEN_MAILBOX)
    assert world.titles() == ["Ann's words"]


def test_reading_twice_changes_nothing(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.connect()
    before = world.documents.dump()
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)
    world.drain()
    changed = {path for path, fields in world.documents.dump().items() if before.get(path) != fields}
    assert {path.rsplit("/", 2)[-2] for path in changed} <= {"streams"}


def test_one_unreadable_event_stops_no_other_and_waits_with_its_reason(world: World) -> None:
    world.ann.put(event("bad", at(2026, 3, 4, 10), CARLA))
    world.ann.put(event("good", at(2026, 3, 5, 10), CARLA))
    world.ann.unreadable.add("bad")
    world.connect()
    assert world.titles() == ["About good"]
    (parked,) = Quarantine(world.store).parked(10)
    assert parked.value.ids["event"] == "bad"

    world.ann.unreadable.clear()
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.REREAD)
    world.drain()
    assert world.titles() == ["About bad", "About good"]


def test_an_event_that_becomes_unreadable_is_not_taken_for_deleted(world: World) -> None:
    world.ann.put(event("bad", at(2026, 3, 4, 10), CARLA))
    world.connect()
    world.ann.unreadable.add("bad")
    world.ann.expire_tokens()
    world.read()
    assert world.titles() == ["About bad"]


def test_a_busy_calendar_keeps_the_wish_and_its_holder_reads_again(world: World) -> None:
    """Of two readings at once the second leaves a wish; the first, when it is done, goes on."""
    world.connect()
    world.ann.put(event("first", at(2026, 3, 4, 10), CARLA))
    served, calendar = world.served(), world.ann
    listed = calendar.events

    def while_reading(*args: object, **kwargs: object) -> object:
        page = listed(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        if not calendar._events[ANN].get("second"):
            calendar.put(event("second", at(2026, 3, 5, 10), CARLA))
            sync_calendar(served, ANN_STREAM, cause=Cause.PUSH)
        return page

    calendar.events = while_reading  # type: ignore[assignment,method-assign]  # a change in the middle of a call
    sync_calendar(served, ANN_STREAM, cause=Cause.PUSH)
    world.drain()
    assert world.titles() == ["About first", "About second"]


def test_a_reader_that_died_is_followed_after_its_lease(world: World) -> None:
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    stored = world.streams().get(ANN_STREAM)
    dead = replace(stored.value, lease=stored.value.lease.taken("dead", world.clock.now()))
    world.store.commit([world.streams().updating(dead, stored.version)])

    sync_calendar(world.served(), ANN_STREAM, cause=Cause.PUSH)
    world.drain()
    assert world.titles() == []
    world.clock.advance(92)
    world.drain()
    assert world.titles() == ["About intro"]


def test_a_long_reading_hands_over_after_its_time(world: World) -> None:
    world.ann.page_size = 1
    for number in range(4):
        world.ann.put(event(f"m{number}", at(2026, 3, 4 + number, 10), CARLA))
    listed = world.ann.events

    def slow(*args: object, **kwargs: object) -> object:
        world.clock.advance(40)
        return listed(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    world.ann.events = slow  # type: ignore[assignment,method-assign]  # a vendor that takes its time
    world.connect()
    assert len(world.timeline("carla")) == 4
    continued = [task for task in world.tasks.created if task.payload.get("cause") == Cause.CONTINUE.value]
    assert continued


def test_an_outage_and_a_rate_limit_leave_the_lease_free_and_nothing_lost(world: World) -> None:
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    limit = RateLimitedError("slow down", resume_at=world.clock.now() + timedelta(seconds=30))
    for error in (OUTAGE, limit):
        world.ann.fail_next.append(error)
        with pytest.raises(type(error)):
            sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)
        assert world.streams().get(ANN_STREAM).value.lease.free(world.clock.now())
    world.read()
    assert world.titles() == ["About intro"]


def test_a_revoked_grant_is_told_and_a_paused_mailbox_is_left_alone(world: World) -> None:
    world.connect()
    world.ann.fail_next.append(ConnectionRevokedError("gone"))
    with pytest.raises(ConnectionRevokedError):
        sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)

    world.change_mailbox(status=Status.PAUSED)
    calls = len(world.ann.calls)
    world.read()
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.PUSH)
    assert len(world.ann.calls) == calls


def test_a_calendar_that_is_no_longer_shared_closes_and_keeps_what_was_logged(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.connect()
    world.ann.hidden.add(ANN)
    world.read()
    assert world.streams().get(ANN_STREAM).value.closed
    assert world.titles() == ["About intro"]

    world.ann.hidden.clear()
    world.ann.put(event("next", at(2026, 3, 5, 10), CARLA))
    world.connect()
    assert world.titles() == ["About intro", "About next"]


def test_a_stale_page_token_begins_the_interval_again(world: World) -> None:
    world.connect()
    stored = world.streams().get(ANN_STREAM)
    stuck = replace(stored.value, page="7", begun_at=world.clock.now() - timedelta(hours=2))
    world.store.commit([world.streams().updating(stuck, stored.version)])
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    world.read()
    assert world.titles() == ["About intro"]


def test_a_contact_known_later_gets_its_meetings_by_a_reread(world: World) -> None:
    """What was left out for want of a contact is read anew; nothing of it had been kept."""
    world.ann.put(event("early", at(2026, 3, 4, 10), "eve@late.example"))
    world.connect()
    assert "early" not in "".join(world.titles())
    assert "eve@late.example" not in world.words()

    world.add_contact(Contact("eve", "Eve", "Late", ("eve@late.example",)))
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.REREAD)
    world.drain()
    assert world.titles("eve") == ["About early"]


def test_i20_reading_writes_nothing_into_the_calendar(world: World) -> None:
    """Nothing that came from the other side goes back to it: this product reads, and opens and closes channels."""
    world.ann.put(event("weekly", at(2026, 3, 4, 10), CARLA, recurrence=("RRULE:FREQ=WEEKLY",)))
    world.connect()
    world.ann.expire_tokens()
    world.read()
    world.days_pass(30)
    assert set(world.ann.calls) == {"calendars", "events", "open_channel"}


def test_mailboxes_of_the_world_are_served(world: World) -> None:
    """The stories above would prove nothing in a world where nobody is connected."""
    assert all(mailbox.served for mailbox in Mailboxes(world.store).all())

"""Expired tokens, ghosts and mass deletions: the failures of I16 and I17, replayed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.calendar.stream import Absence, Verdict
from shared.domain.people import Role, User
from shared.domain.quarantine import ParkedState
from shared.errors import ForbiddenError, InputError, NotFoundError, ProviderUnavailableError
from shared.ports.calendar import CalendarListing
from shared.ports.documents import ID, Query
from shared.records.audit import Audit
from shared.records.followups import Quarantine
from shared.usecases.calendar.open_calendars import open_calendars
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.settle_held_deletions import settle_held_deletions, verdict_named
from shared.usecases.calendar.sync_calendar import sync_calendar
from tests.usecases.calendar.fake_calendar import OUTAGE, at, event
from tests.usecases.calendar.world import ANN, ANN_STREAM, BEN, CARLA, World

ADMIN = User("admin", "Admin", "admin@acme.example", Role.ADMIN)


def fill(world: World, count: int) -> None:
    for number in range(count):
        first = at(2026, 3, 4, 8)
        start_at = first.start_at + timedelta(hours=number)
        world.ann.put(event(f"m{number:03}", replace(first, start_at=start_at, end_at=start_at), CARLA))


def held(world: World) -> list[str]:
    return [row.value.reason for row in Quarantine(world.store).parked(10) if row.value.kind == "held_deletions"]


def test_i16_an_expired_token_reads_everything_again_and_leaves_no_ghost(world: World) -> None:
    fill(world, 10)
    world.connect()
    world.ann.expire_tokens()
    world.ann.vanish("m003")
    world.ann.put(event("new", at(2026, 3, 6, 17), CARLA))
    world.read()

    titles = world.titles()
    assert "About m003" not in titles
    assert "About new" in titles
    assert len(titles) == 10
    assert world.streams().get(ANN_STREAM).value.generation == 2
    assert "About m003" not in world.words()


def test_i16_each_calendar_has_its_own_token(world: World) -> None:
    """A token that expires in one calendar re-reads that one alone."""
    team = "team@group.example"
    world.ann.listings.append(CalendarListing(team, primary=False, selected=True, time_zone="UTC"))
    world.ann.put(event("own", at(2026, 3, 4, 10), CARLA))
    world.ann.put(event("teams", at(2026, 3, 5, 10), CARLA), team)
    open_calendars(world.served(), documents=world.documents, selected_too=True)
    world.drain()
    assert world.titles() == ["About own", "About teams"]
    tokens = {stream.calendar_id: stream.sync_token for stream in world.streams().all()}
    assert set(tokens) == {ANN, team}


def test_i16_a_second_expiry_in_the_middle_begins_another_generation(world: World) -> None:
    fill(world, 6)
    world.connect()
    world.ann.expire_tokens()
    world.ann.page_size = 2
    world.ann.vanish("m005")
    world.ann.fail_next.append(OUTAGE)
    with pytest.raises(ProviderUnavailableError):
        sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)
    world.read()
    assert len(world.titles()) == 5


def test_i17_a_partial_reading_deletes_nothing(world: World) -> None:
    """The whole reading breaks off after its first page: the rest is not gone, it is unread."""
    fill(world, 12)
    world.connect()
    world.ann.expire_tokens()
    world.ann.page_size = 4
    listed = world.ann.events

    def breaks_off(calendar_id: str, **window: object) -> object:
        if window["page"] is not None:
            raise OUTAGE
        return listed(calendar_id, **window)  # type: ignore[arg-type]  # passed on as they came

    world.ann.events = breaks_off  # type: ignore[assignment,method-assign]  # a vendor that answers one page only
    for _ in range(3):
        with pytest.raises(ProviderUnavailableError):
            sync_calendar(world.served(), ANN_STREAM, cause=Cause.POLL)
        world.drain()
        assert len(world.titles()) == 12

    world.ann.events = listed  # type: ignore[method-assign]  # it answers again
    world.read()
    assert len(world.titles()) == 12


def test_i17_a_mass_deletion_inferred_from_absence_waits_for_a_person(world: World) -> None:
    fill(world, 100)
    world.connect()
    world.ann.expire_tokens()
    world.ann.omitted = {f"m{number:03}" for number in range(30)}
    world.read()
    assert len(world.titles()) == 100
    assert held(world) == ["30 of 100 events are missing from the calendar"]


@pytest.mark.parametrize(
    ("live", "absent", "asked"), [(100, 20, False), (100, 21, True), (421, 21, False), (6, 6, True)]
)
def test_i17_the_threshold_is_both_twenty_rows_and_five_percent_or_all(
    world: World, live: int, absent: int, asked: bool
) -> None:
    fill(world, live)
    world.connect()
    world.ann.expire_tokens()
    for number in range(absent):
        world.ann.vanish(f"m{number:03}")
    world.read()
    assert bool(held(world)) == asked
    assert len(world.titles()) == (live if asked else live - absent)


def test_i17_an_approved_deletion_is_carried_out_and_audited(world: World) -> None:
    fill(world, 40)
    world.connect()
    world.ann.expire_tokens()
    world.ann.omitted = {f"m{number:03}" for number in range(30)}
    world.read()
    settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.REMOVE)
    world.drain()
    assert len(world.titles()) == 10
    assert held(world) == []
    assert [row.action for row in Audit(world.store).newest(5)] == ["deletions.settled"]

    settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.KEEP)
    world.drain()
    assert len(world.titles()) == 10


def test_i17_a_rejected_deletion_keeps_everything(world: World) -> None:
    fill(world, 40)
    world.connect()
    world.ann.expire_tokens()
    world.ann.omitted = {f"m{number:03}" for number in range(30)}
    world.read()
    settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.KEEP)
    world.drain()
    assert len(world.titles()) == 40
    world.read()
    assert held(world) == []


def test_i17_events_that_come_back_before_the_answer_are_not_deleted(world: World) -> None:
    fill(world, 40)
    world.connect()
    world.ann.expire_tokens()
    world.ann.omitted = {f"m{number:03}" for number in range(30)}
    world.read()
    world.ann.put(event("m000", at(2026, 3, 4, 9), CARLA))
    world.read()
    settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.REMOVE)
    world.drain()
    assert "About m000" in world.titles()
    assert len(world.titles()) == 11


def test_i17_a_newer_whole_reading_answers_the_question_by_itself(world: World) -> None:
    fill(world, 40)
    world.connect()
    world.ann.expire_tokens()
    world.ann.omitted = {f"m{number:03}" for number in range(30)}
    world.read()
    world.ann.omitted.clear()
    world.ann.expire_tokens()
    world.read()
    assert len(world.titles()) == 40
    assert held(world) == []
    (row,) = world.store.find(Query("quarantine", order_by=(ID,)))
    assert row.fields["state"] == ParkedState.REPLAYED.value


def test_i17_deletions_that_the_vendor_states_are_applied_at_once_however_many(world: World) -> None:
    fill(world, 60)
    world.connect()
    for number in range(50):
        world.ann.delete(f"m{number:03}")
    world.read()
    assert len(world.titles()) == 10
    assert held(world) == []


def test_nobody_can_settle_what_is_not_held(world: World) -> None:
    world.connect()
    with pytest.raises(NotFoundError):
        settle_held_deletions(world.served(), ANN_STREAM, ADMIN, Verdict.REMOVE)


def test_what_a_dead_run_left_to_remove_does_not_keep_the_next_from_reading(world: World) -> None:
    fill(world, 10)
    world.connect()
    stored = world.streams().get(ANN_STREAM)
    left = replace(stored.value, absence=Absence(stored.value.generation))
    world.store.commit([world.streams().updating(left, stored.version)])
    world.ann.put(event("new", at(2026, 3, 6, 17), CARLA))
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.PUSH)
    world.drain()
    assert "About new" in world.titles()
    assert world.streams().get(ANN_STREAM).value.absence is None


def test_another_rep_cannot_settle_somebodys_calendar(world: World) -> None:
    world.connect()
    with pytest.raises(ForbiddenError):
        settle_held_deletions(world.served(), ANN_STREAM, User("ben", "Ben", BEN), Verdict.REMOVE)
    with pytest.raises(InputError):
        verdict_named("maybe")
    assert [verdict_named(name) for name in ("remove", "keep")] == [Verdict.REMOVE, Verdict.KEEP]


def test_a_lost_rebuild_is_queued_again_by_the_poll(world: World) -> None:
    world.connect()
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.PUSH)
    for task in world.tasks.pending("meeting-rebuild"):
        world.tasks.done(task)
    world.clock.advance(timedelta(minutes=4).total_seconds())
    world.read()
    assert world.titles() == []
    world.clock.advance(timedelta(minutes=2).total_seconds())
    world.read()
    assert world.titles() == ["About intro"]

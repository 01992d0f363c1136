"""Meetings, guests, series and answers as Google Calendar keeps them in everybody's copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.google.errors import ApiError, ControlError
from tests.local.google.calendar_world import ADA, BOB, CLEO, World, oslo


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_invitation_gives_every_guest_a_copy_with_the_same_ids(world: World) -> None:
    made = world.meeting(BOB, "outsider@example.org")
    copy = world.get(made["id"], BOB)
    assert copy["iCalUID"] == made["iCalUID"]
    assert copy["organizer"] == {"email": ADA}
    assert made["organizer"] == {"email": ADA, "self": True}
    assert [(guest["email"], guest["responseStatus"], "self" in guest) for guest in copy["attendees"]] == [
        (ADA, "accepted", False),
        (BOB, "needsAction", True),
        ("outsider@example.org", "needsAction", False),
    ]
    with pytest.raises(ApiError):
        world.get(made["id"], CLEO)


def test_a_guest_invited_by_an_alias_gets_the_copy(world: World) -> None:
    made = world.meeting(f"team.{BOB}")
    assert world.get(made["id"], BOB)["attendees"][1]["self"] is True


def test_the_organizers_change_reaches_all_copies_and_a_guests_own_fields_stay(world: World) -> None:
    made = world.meeting(BOB, colorId="9", extendedProperties={"private": {"crm": "1"}, "shared": {"deal": "7"}})
    world.control("change", email=ADA, event_id=made["id"], fields={"location": "Room 4", "summary": "Kick-off"})
    copy = world.get(made["id"], BOB)
    assert (copy["summary"], copy["location"]) == ("Kick-off", "Room 4")
    assert "colorId" not in copy
    assert copy["extendedProperties"] == {"shared": {"deal": "7"}}


def test_only_the_organizer_can_change_a_meeting(world: World) -> None:
    made = world.meeting(BOB)
    with pytest.raises(ControlError, match=ADA):
        world.control("move", email=BOB, event_id=made["id"], start=oslo(3, 10))


def test_a_moved_event_keeps_its_length_and_counts_its_sequence(world: World) -> None:
    made = world.meeting(BOB)
    world.control("move", email=ADA, event_id=made["id"], start=oslo(4, 15))
    copy = world.get(made["id"], BOB)
    assert (copy["start"], copy["end"]) == (oslo(4, 15), oslo(4, 16))
    assert copy["sequence"] == made["sequence"] + 1


def test_an_answer_shows_in_every_copy(world: World) -> None:
    made = world.meeting(BOB, CLEO)
    world.control("respond", email=BOB, event_id=made["id"], answer="tentative", comment="late")
    for person in (ADA, BOB, CLEO):
        answer = next(guest for guest in world.get(made["id"], person)["attendees"] if guest["email"] == BOB)
        assert (answer["responseStatus"], answer["comment"]) == ("tentative", "late")


def test_an_answer_survives_the_organizers_next_change(world: World) -> None:
    made = world.meeting(BOB)
    world.control("respond", email=BOB, event_id=made["id"], answer="accepted")
    guests = [{"email": ADA}, {"email": BOB}, {"email": CLEO}]
    changed = world.control("change", email=ADA, event_id=made["id"], fields={"attendees": guests})
    assert [guest["responseStatus"] for guest in changed["attendees"]] == ["accepted", "accepted", "needsAction"]


def test_cancelling_cancels_every_copy(world: World) -> None:
    made = world.meeting(BOB)
    world.control("cancel", email=ADA, event_id=made["id"])
    assert [world.get(made["id"], person)["status"] for person in (ADA, BOB)] == ["cancelled", "cancelled"]
    with pytest.raises(ControlError):
        world.control("cancel", email=ADA, event_id=made["id"])


def test_a_guest_who_deletes_declines_and_is_not_bothered_again(world: World) -> None:
    made = world.meeting(BOB)
    world.control("delete", email=BOB, event_id=made["id"])
    assert world.get(made["id"])["attendees"][1]["responseStatus"] == "declined"
    world.control("change", email=ADA, event_id=made["id"], fields={"summary": "New name"})
    assert world.get(made["id"], BOB)["status"] == "cancelled"


def test_a_guest_who_is_no_longer_invited_sees_it_cancelled(world: World) -> None:
    made = world.meeting(BOB, CLEO)
    world.control("change", email=ADA, event_id=made["id"], fields={"attendees": [{"email": CLEO}]})
    assert world.get(made["id"], BOB)["status"] == "cancelled"
    assert world.get(made["id"], CLEO)["status"] == "confirmed"


def test_a_private_meeting_is_private_in_the_guests_calendar_too(world: World) -> None:
    assert world.get(world.meeting(BOB, visibility="private")["id"], BOB)["visibility"] == "private"


def test_an_all_day_event_has_dates_and_an_exclusive_end(world: World) -> None:
    event = world.meeting(start={"date": "2026-05-01"}, end={"date": "2026-05-03"})
    moved = world.control("move", email=ADA, event_id=event["id"], start={"date": "2026-06-01"})
    assert (moved["start"], moved["end"]) == ({"date": "2026-06-01"}, {"date": "2026-06-03"})
    with pytest.raises(ControlError, match="day after"):
        world.meeting(start={"date": "2026-05-01"}, end={"date": "2026-05-01"})


def test_a_moved_instance_keeps_the_start_it_had_by_rule_also_after_summer_time(world: World) -> None:
    made = world.weekly(BOB)
    world.control(
        "move", email=ADA, event_id=made["id"], original_start=oslo(6, 10, month=4), start=oslo(7, 15, month=4)
    )
    for person in (ADA, BOB):
        exception = world.get(f"{made['id']}_20260406T080000Z", person)
        assert exception["recurringEventId"] == made["id"]
        assert exception["originalStartTime"] == oslo(6, 10, month=4)
        assert (exception["start"], exception["end"]) == (oslo(7, 15, month=4), oslo(7, 16, month=4))
        assert exception["iCalUID"] == made["iCalUID"]
        assert "recurrence" not in exception


def test_an_instance_moved_twice_is_one_exception(world: World) -> None:
    made = world.weekly()
    for hour in (15, 16):
        world.control("move", email=ADA, event_id=made["id"], original_start=oslo(9, 10), start=oslo(9, hour))
    items, _ = world.read()
    assert [item["start"] for item in items if "recurringEventId" in item] == [oslo(9, 16)]


def test_a_cancelled_instance_is_listed_without_details_while_the_series_lives(world: World) -> None:
    made = world.weekly(BOB)
    world.control("cancel", email=ADA, event_id=made["id"], original_start=oslo(9, 10))
    for person in (ADA, BOB):
        items, _ = world.read(person)
        (cancelled,) = [item for item in items if item["status"] == "cancelled"]
        assert set(cancelled) == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}


def test_an_instance_that_the_rule_does_not_have_is_refused(world: World) -> None:
    made = world.weekly()
    for original in (oslo(10, 10), oslo(9, 11), oslo(4, 10, month=5), {"date": "2026-03-09"}):
        with pytest.raises(ControlError, match="no instance"):
            world.control("cancel", email=ADA, event_id=made["id"], original_start=original)


def test_one_guest_can_answer_and_leave_a_single_instance(world: World) -> None:
    made = world.weekly(BOB)
    instance = {"event_id": made["id"], "original_start": oslo(9, 10)}
    world.control("respond", email=BOB, answer="accepted", **instance)
    assert world.get(f"{made['id']}_20260309T090000Z")["attendees"][1]["responseStatus"] == "accepted"
    assert world.get(made["id"])["attendees"][1]["responseStatus"] == "needsAction"
    world.control("delete", email=BOB, **instance)
    assert world.get(f"{made['id']}_20260309T090000Z")["attendees"][1]["responseStatus"] == "declined"
    assert world.get(f"{made['id']}_20260309T090000Z", BOB)["status"] == "cancelled"


def test_who_joins_a_series_joins_its_changed_instances(world: World) -> None:
    made = world.weekly(BOB)
    world.control("move", email=ADA, event_id=made["id"], original_start=oslo(9, 10), start=oslo(9, 15))
    world.control("change", email=ADA, event_id=made["id"], fields={"attendees": [{"email": CLEO}]})
    exception = f"{made['id']}_20260309T090000Z"
    assert world.get(exception, CLEO)["start"] == oslo(9, 15)
    assert world.get(exception, BOB)["status"] == "cancelled"


def test_a_series_that_gets_another_time_drops_its_exceptions(world: World) -> None:
    made = world.weekly(BOB)
    world.control("move", email=ADA, event_id=made["id"], original_start=oslo(9, 10), start=oslo(9, 15))
    world.control("move", email=ADA, event_id=made["id"], start=oslo(2, 8))
    for person in (ADA, BOB):
        assert world.get(f"{made['id']}_20260309T090000Z", person)["status"] == "cancelled"


def test_a_cancelled_series_takes_its_exceptions_along(world: World) -> None:
    made = world.weekly(BOB)
    world.control("move", email=ADA, event_id=made["id"], original_start=oslo(9, 10), start=oslo(9, 15))
    world.control("cancel", email=ADA, event_id=made["id"])
    assert [world.read(person)[0] for person in (ADA, BOB)] == [[], []]


def test_a_meeting_organized_elsewhere_follows_whichever_copy_changes(world: World) -> None:
    invitation = {
        "id": "outside0001",
        "summary": "Visit",
        "start": oslo(2, 10),
        "end": oslo(2, 11),
        "organizer": {"email": "host@example.org"},
        "attendees": [{"email": ADA}, {"email": BOB, "responseStatus": "accepted"}],
    }
    for person in (ADA, BOB):
        world.control("seed", email=person, events=[invitation])
    world.control("move", email=ADA, event_id="outside0001", start=oslo(5, 10))
    world.control("respond", email=BOB, event_id="outside0001", answer="declined")
    assert world.get("outside0001", BOB)["start"] == oslo(5, 10)
    assert world.get("outside0001", ADA)["attendees"][1]["responseStatus"] == "declined"


def test_a_second_calendar_is_listed_and_kept_apart(world: World) -> None:
    second = world.control("add-calendar", email=ADA, summary="Demos", time_zone="Europe/Oslo")["id"]
    world.control("create", email=ADA, calendar=second, event={"start": oslo(2, 10), "end": oslo(2, 11)})
    listed = world.call("calendarList.list")["items"]
    assert [(entry["id"], entry.get("primary", False)) for entry in listed] == [(ADA, True), (second, False)]
    assert world.call("calendars.get", calendarId=second)["timeZone"] == "Europe/Oslo"
    assert world.read()[0] == []
    assert len(world.read(calendar=second)[0]) == 1


def test_exported_files_fill_the_primary_calendar_and_others_by_name(world: World, tmp_path: Path) -> None:
    for name, uid in (("Holidays", "1"), (ADA, "2")):
        event = f"BEGIN:VEVENT\nUID:{uid}\nDTSTART;VALUE=DATE:20260501\nEND:VEVENT"
        text = f"BEGIN:VCALENDAR\nX-WR-CALNAME:{name}\nX-WR-TIMEZONE:Europe/Oslo\n{event}\nEND:VCALENDAR"
        (tmp_path / f"{uid}.ics").write_text(text)
    for _ in range(2):  # seeding again changes nothing
        assert world.control("seed", email=ADA, paths=[str(tmp_path)]) == {"added": 2, "left_out": []}
    primary, holidays = world.call("calendarList.list")["items"]
    assert (primary["timeZone"], holidays["summary"]) == ("Europe/Oslo", "Holidays")
    assert [world.read(calendar=entry["id"])[0][0]["iCalUID"] for entry in (primary, holidays)] == ["2", "1"]
    with pytest.raises(ControlError, match="no such file"):
        world.control("seed", email=ADA, paths=[str(tmp_path / "gone.ics")])


def test_one_exported_event_that_makes_no_sense_costs_no_other(world: World) -> None:
    times = {"start": oslo(2, 10), "end": oslo(2, 11)}
    odd = {"id": "odd0001", **times, "recurrence": ["RRULE:FREQ=WEEKLY;RSCALE=HEBREW"]}
    answer = world.control("seed", email=ADA, events=[odd, {"id": "good0001", **times}])
    assert answer["added"] == 1
    assert answer["left_out"][0].startswith("event odd0001: the recurrence")
    assert [item["id"] for item in world.read()[0]] == ["good0001"]


def test_another_persons_calendar_is_not_found(world: World) -> None:
    with pytest.raises(ApiError) as refusal:
        world.call("events.list", ADA, calendarId=BOB)
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"start": None},
        {"start": {"dateTime": "tomorrow"}},
        {"start": {"dateTime": "2026-03-02T10:00:00", "timeZone": "Nowhere/Land"}},
        {"end": {"date": "2026-03-02"}},
        {"end": oslo(1, 10)},
        {"recurrence": ["RRULE:FREQ=SOMETIMES"]},
        {"recurrence": ["DTSTART:20260302T100000Z"]},
    ],
)
def test_events_that_google_would_refuse_are_refused(world: World, fields: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        world.meeting(by=ADA, **fields)


def test_the_whole_state_can_be_saved_and_loaded(world: World, tmp_path: Path) -> None:
    made = world.weekly(BOB)
    _, token = world.read()
    state = world.service.dump()
    world.control("cancel", email=ADA, event_id=made["id"])
    world.service.load(state)
    assert world.read(syncToken=token)[0] == []
    assert world.get(made["id"], BOB)["status"] == "confirmed"

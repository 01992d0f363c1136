"""events.list: full readings in pages, incremental readings by sync token, and the ways in which they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.google.errors import ApiError
from tests.local.google.calendar_world import ADA, BOB, World, oslo


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refusal(world: World, **parameters: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        world.call("events.list", calendarId="primary", **parameters)
    return caught.value


def test_an_empty_calendar_gives_a_token_at_once(world: World) -> None:
    items, token = world.read()
    assert (items, bool(token)) == ([], True)


def test_pages_hold_every_event_once_and_only_the_last_has_the_token(world: World) -> None:
    made = {world.meeting(summary=str(number))["id"] for number in range(7)}
    first = world.call("events.list", calendarId="primary", maxResults=3)
    assert len(first["items"]) == 3
    assert "nextSyncToken" not in first
    items, token = world.read(maxResults=3)
    assert sorted(item["id"] for item in items) == sorted(made)
    assert token


def test_a_change_between_two_pages_comes_with_the_next_incremental_reading(world: World) -> None:
    made = sorted(world.meeting(summary=str(number))["id"] for number in range(4))
    first = world.call("events.list", calendarId="primary", maxResults=2)
    world.control("change", email=ADA, event_id=made[0], fields={"summary": "changed"})
    last = world.call("events.list", calendarId="primary", maxResults=2, pageToken=first["nextPageToken"])
    items, _ = world.read(syncToken=last["nextSyncToken"])
    assert [(item["id"], item["summary"]) for item in items] == [(made[0], "changed")]


def test_an_incremental_reading_has_only_changes_and_tombstones(world: World) -> None:
    kept, changed, deleted = (world.meeting(summary=name)["id"] for name in ("kept", "changed", "deleted"))
    _, token = world.read()
    world.control("move", email=ADA, event_id=changed, start=oslo(4, 10))
    world.control("delete", email=ADA, event_id=deleted)
    made = world.meeting(summary="new")["id"]

    items, following = world.read(syncToken=token, maxResults=1)

    by_id = {item["id"]: item for item in items}
    assert set(by_id) == {changed, deleted, made}
    assert kept not in by_id
    assert set(by_id[deleted]) == {"kind", "etag", "id", "status"}
    assert by_id[deleted]["status"] == "cancelled"
    assert world.read(syncToken=following)[0] == []


def test_the_same_token_can_be_read_again(world: World) -> None:
    _, token = world.read()
    world.meeting()
    assert world.read(syncToken=token)[0] == world.read(syncToken=token)[0]


def test_a_series_is_its_master_and_its_exceptions(world: World) -> None:
    made = world.weekly()
    _, token = world.read()
    world.control("move", email=ADA, event_id=made["id"], original_start=oslo(9, 10), start=oslo(10, 10))
    world.control("cancel", email=ADA, event_id=made["id"], original_start=oslo(16, 10))
    full, _ = world.read()
    assert full[0]["recurrence"] == made["recurrence"]
    assert len(full) == 3
    items, _ = world.read(syncToken=token)
    assert [(item["id"].rpartition("_")[2], item["status"]) for item in items] == [
        ("20260309T090000Z", "confirmed"),
        ("20260316T090000Z", "cancelled"),
    ]


def test_deleted_events_are_listed_on_request_only(world: World) -> None:
    world.control("delete", email=ADA, event_id=world.meeting()["id"])
    assert world.read()[0] == []
    assert [item["status"] for item in world.read(showDeleted=True)[0]] == ["cancelled"]


def test_time_min_counts_the_end_and_time_max_the_start_both_exclusive(world: World) -> None:
    world.meeting()  # 09:00 to 10:00 UTC on 2 March
    assert world.read(timeMin="2026-03-02T10:00:00Z")[0] == []
    assert len(world.read(timeMin="2026-03-02T10:59:00+01:00")[0]) == 1
    assert world.read(timeMax="2026-03-02T09:00:00Z")[0] == []
    assert len(world.read(timeMin="2026-03-01T00:00:00Z", timeMax="2026-03-02T09:01:00Z")[0]) == 1


def test_a_series_is_in_the_window_as_long_as_one_instance_is(world: World) -> None:
    world.weekly()
    assert len(world.read(timeMin="2026-04-27T08:30:00Z")[0]) == 1
    assert world.read(timeMin="2026-04-28T00:00:00Z")[0] == []


def test_an_all_day_event_ends_at_the_calendars_midnight(world: World) -> None:
    world.control(
        "seed",
        email=ADA,
        time_zone="Europe/Oslo",
        events=[{"id": "allday01", "start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}],
    )
    assert len(world.read(timeMin="2026-03-02T22:59:00Z")[0]) == 1
    assert world.read(timeMin="2026-03-02T23:00:00Z")[0] == []


def test_the_sync_token_remembers_the_window_and_tells_what_leaves_it(world: World) -> None:
    inside = world.meeting()["id"]
    _, token = world.read(timeMin="2026-03-01T00:00:00Z")
    world.control("move", email=ADA, event_id=inside, start=oslo(1, 10, month=2))
    items, _ = world.read(syncToken=token)
    assert [(item["id"], item["status"]) for item in items] == [(inside, "cancelled")]


def test_events_are_found_by_ical_uid_and_by_private_property(world: World) -> None:
    wanted = world.meeting(extendedProperties={"private": {"crm": "42"}})
    world.meeting(extendedProperties={"private": {"crm": "43"}})
    items, token = world.read(iCalUID=wanted["iCalUID"])
    assert [item["id"] for item in items] == [wanted["id"]]
    assert token == ""  # a search is no reading to go on from
    assert [item["id"] for item in world.read(privateExtendedProperty="crm=42")[0]] == [wanted["id"]]


def test_event_types_can_be_chosen(world: World) -> None:
    world.meeting(eventType="outOfOffice")
    meeting = world.meeting()
    items, token = world.read(eventTypes=["default"])
    assert [item["id"] for item in items] == [meeting["id"]]
    world.meeting(eventType="focusTime")
    assert world.read(syncToken=token, eventTypes=["default"])[0] == []


@pytest.mark.parametrize(
    "forbidden",
    [
        {"timeMin": "2026-03-01T00:00:00Z"},
        {"timeMax": "2026-03-01T00:00:00Z"},
        {"updatedMin": "2026-03-01T00:00:00Z"},
        {"iCalUID": "x@example.com"},
        {"orderBy": "updated"},
        {"q": "word"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": False},
    ],
)
def test_parameters_that_a_sync_token_does_not_allow_are_refused(world: World, forbidden: dict[str, Any]) -> None:
    _, token = world.read()
    assert refusal(world, syncToken=token, **forbidden).status == 400


@pytest.mark.parametrize("other", [{"singleEvents": False}, {"eventTypes": ["default"]}, {"showDeleted": True}])
def test_parameters_that_differ_from_the_first_reading_are_refused(world: World, other: dict[str, Any]) -> None:
    _, token = world.read()
    assert refusal(world, syncToken=token, **other).status == 400
    _, token = world.read(**other)
    assert refusal(world, syncToken=token).status == 400
    assert world.read(syncToken=token, **other)[0] == []


def test_a_page_token_is_for_the_reading_that_gave_it(world: World) -> None:
    for number in range(3):
        world.meeting(summary=str(number))
    _, token = world.read()
    full = world.call("events.list", calendarId="primary", maxResults=1)["nextPageToken"]
    assert refusal(world, pageToken=full, timeMin="2026-03-01T00:00:00Z").status == 400
    assert refusal(world, pageToken=full, showDeleted=True).status == 400
    assert refusal(world, pageToken=full, syncToken=token).status == 400


def test_a_change_between_two_incremental_pages_is_told_once(world: World) -> None:
    _, token = world.read()
    made = sorted(world.meeting(summary=str(number))["id"] for number in range(2))
    first = world.call("events.list", calendarId="primary", syncToken=token, maxResults=1)
    world.control("change", email=ADA, event_id=made[1], fields={"summary": "changed"})
    rest = {"syncToken": token, "pageToken": first["nextPageToken"], "maxResults": 1}
    last = world.call("events.list", calendarId="primary", **rest)
    assert [item["id"] for item in first["items"] + last["items"]] == [made[0]]
    assert [item["summary"] for item in world.read(syncToken=last["nextSyncToken"])[0]] == ["changed"]


def test_page_size_may_differ(world: World) -> None:
    _, token = world.read(maxResults=10)
    assert world.read(syncToken=token, maxResults=20)[0] == []


@pytest.mark.parametrize("token", ["", "rubbish", "WyJwYWdlIiwge31d"])
def test_tokens_that_are_none_are_refused(world: World, token: str) -> None:
    assert refusal(world, syncToken=token or "=").status == 400
    assert refusal(world, pageToken=token or "=").status == 400


def test_a_token_of_another_calendar_is_refused(world: World) -> None:
    _, token = world.read(BOB)
    assert refusal(world, syncToken=token).status == 400


def test_expired_tokens_are_answered_410_with_googles_body_until_a_full_reading(world: World) -> None:
    world.meeting()
    _, token = world.read()
    world.control("expire-tokens", email=ADA)
    gone = refusal(world, syncToken=token)
    assert gone.status == 410
    assert gone.body()["error"]["errors"][0]["reason"] == "fullSyncRequired"
    assert gone.body()["error"]["message"] == "Sync token is no longer valid, a full sync is required."
    items, token = world.read()
    assert len(items) == 1
    assert world.read(syncToken=token)[0] == []


def test_tokens_of_other_people_live_on_unless_everybodys_expire(world: World) -> None:
    _, token = world.read(BOB)
    world.control("expire-tokens", email=ADA)
    assert world.read(BOB, syncToken=token)[0] == []
    world.control("expire-tokens")
    with pytest.raises(ApiError):
        world.read(BOB, syncToken=token)


def test_a_token_from_a_state_that_was_set_back_is_gone(world: World) -> None:
    state = world.service.dump()
    world.meeting()
    _, token = world.read()
    world.service.load(state)
    assert refusal(world, syncToken=token).status == 410


def test_a_cut_reading_gives_a_short_page_then_fails_then_goes_on(world: World) -> None:
    made = [world.meeting(summary=str(number))["id"] for number in range(5)]
    world.control("cut", email=ADA, items=2, status=503, times=2)
    first = world.call("events.list", calendarId="primary")
    assert len(first["items"]) == 2
    for _ in range(2):
        assert refusal(world, pageToken=first["nextPageToken"]).status == 503
    rest = world.call("events.list", calendarId="primary", pageToken=first["nextPageToken"])
    assert sorted(item["id"] for item in first["items"] + rest["items"]) == sorted(made)
    assert rest["nextSyncToken"]


def test_a_cut_page_may_be_empty(world: World) -> None:
    world.meeting()
    world.control("cut", email=ADA, items=0)
    first = world.call("events.list", calendarId="primary")
    assert (first["items"], "nextSyncToken" in first) == ([], False)


def test_one_full_reading_can_silently_lack_events(world: World) -> None:
    made = [world.meeting(summary=str(number))["id"] for number in range(4)]
    world.control("omit", email=ADA, ids=made[:3])
    items, token = world.read(maxResults=1)
    assert [item["id"] for item in items] == made[3:]
    assert world.read(syncToken=token)[0] == []
    assert len(world.read()[0]) == 4


@pytest.mark.parametrize("parameter", [{"singleEvents": True}, {"orderBy": "updated"}, {"q": "x"}, {"maxAttendees": 1}])
def test_what_the_simulator_does_not_know_it_says_loudly(world: World, parameter: dict[str, Any]) -> None:
    assert refusal(world, **parameter).status == 501


def test_a_page_has_at_most_2500_events(world: World) -> None:
    events = [{"id": f"seed{number:06}", "start": oslo(2, 10), "end": oslo(2, 11)} for number in range(3000)]
    assert world.control("seed", email=ADA, events=events) == {"added": 3000, "left_out": []}
    assert len(world.read(maxResults=2500)[0]) == 3000

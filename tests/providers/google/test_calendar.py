"""Google's events in our words, and the calendar adapter against the simulated Google over the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from local.cloud.serving import running
from local.google.app import create_app
from local.google.service import Settings
from local.google.simulator import Simulator
from shared.domain.calendar.event import Answer, EventStatus, Guest, Times
from shared.domain.calendar.stream import ChannelNotice
from shared.errors import CursorExpiredError, NotFoundError, PayloadError, ProofError, RateLimitedError
from shared.ports.calendar import EventPage
from shared.providers.google.calendar import GoogleCalendar, event_from_google, read_channel_notice
from shared.providers.google.http import GoogleHttp, Token
from shared.providers.google.manifest import SCOPES
from tests.fakes import FakeChance, FakeClock
from tests.usecases.calendar import world as crm

KIM, LEE = "kim@acme.example", "lee@client.example"
CLIENT: dict[str, Any] = {
    "client_id": "throughline.apps.example",
    "client_secret": "hush",
    "redirect_uris": ["https://crm.example/cb"],
}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)

TIMED: dict[str, Any] = {
    "kind": "calendar#event",
    "id": "4fk2m0v8ab1",
    "status": "confirmed",
    "iCalUID": "4fk2m0v8ab1@google.com",
    "updated": "2026-03-01T10:00:00.000Z",
    "summary": "Review",
    "location": "Room 1",
    "hangoutLink": "https://meet.google.com/abc-defg-hij",
    "creator": {"email": KIM, "self": True},
    "organizer": {"email": KIM, "self": True},
    "start": {"dateTime": "2026-03-30T09:00:00+02:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-03-30T10:00:00+02:00", "timeZone": "Europe/Berlin"},
    "attendees": [
        {"email": "Lee@Client.example", "displayName": "Lee", "responseStatus": "accepted", "optional": True},
        {"email": KIM, "self": True, "organizer": True, "responseStatus": "needsAction"},
        {"email": "room@resource.calendar.google.com", "resource": True, "responseStatus": "accepted"},
    ],
    "attachments": [{"title": "Plan", "fileUrl": "https://drive.example/plan", "mimeType": "application/pdf"}],
}


def test_a_timed_event() -> None:
    event = event_from_google(TIMED, default_zone="UTC")
    start_at = datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert event.times == Times(start_at, start_at + timedelta(hours=1), "Europe/Berlin")
    assert event.guests == (
        Guest(LEE, "Lee", Answer.YES, optional=True),
        Guest(KIM, answer=Answer.NONE, is_self=True),
    )
    assert (event.title, event.location, event.meet_url) == (
        "Review",
        "Room 1",
        "https://meet.google.com/abc-defg-hij",
    )
    assert (event.organizer, event.organizer_is_self, event.private) == (KIM, True, False)
    assert [document.title for document in event.documents] == ["Plan"]
    assert event.updated_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_an_all_day_event_keeps_its_days_and_its_exclusive_end() -> None:
    event = event_from_google(TIMED | {"start": {"date": "2026-05-01"}, "end": {"date": "2026-05-03"}}, default_zone="")
    assert event.times is not None
    assert (event.times.first_day, event.times.end_day) == (date(2026, 5, 1), date(2026, 5, 3))


def test_a_moved_instance_is_named_by_its_original_start() -> None:
    moved = TIMED | {
        "recurringEventId": "series",
        "originalStartTime": {"dateTime": "2026-03-23T09:00:00+01:00", "timeZone": "Europe/Berlin"},
    }
    event = event_from_google(moved, default_zone="UTC")
    assert (event.series_id, event.original_start) == ("series", "2026-03-23T08:00:00+00:00")
    assert event.root_id == "series"


def test_a_cancelled_instance_and_a_tombstone_tell_almost_nothing() -> None:
    instance = event_from_google(
        {
            "id": "series_20260323",
            "status": "cancelled",
            "recurringEventId": "series",
            "originalStartTime": {"date": "2026-03-23"},
        },
        default_zone="UTC",
    )
    assert (instance.status, instance.original_start, instance.times) == (EventStatus.CANCELLED, "2026-03-23", None)
    assert event_from_google({"id": "gone", "status": "cancelled"}, default_zone="UTC").cancelled


@pytest.mark.parametrize("visibility", ["private", "confidential"])
def test_private_and_confidential_events_are_private(visibility: str) -> None:
    assert event_from_google(TIMED | {"visibility": visibility}, default_zone="UTC").private


def test_a_shared_calendar_is_no_organizer_and_its_creator_is_told() -> None:
    shared = TIMED | {"organizer": {"email": "c_1@group.calendar.google.com"}, "creator": {"email": KIM}}
    event = event_from_google(shared, default_zone="UTC")
    assert (event.organizer, event.creator) == ("", KIM)


def test_a_meeting_by_another_conference_keeps_its_video_link() -> None:
    entries = [
        {"entryPointType": "phone", "uri": "tel:1"},
        {"entryPointType": "video", "uri": "https://zoom.example/1"},
    ]
    item = {name: value for name, value in TIMED.items() if name != "hangoutLink"}
    event = event_from_google(item | {"conferenceData": {"entryPoints": entries}}, default_zone="UTC")
    assert event.meet_url == "https://zoom.example/1"


def test_a_time_without_offset_is_read_in_its_zone_or_the_calendars() -> None:
    bare = {"start": {"dateTime": "2026-03-30T09:00:00"}, "end": {"dateTime": "2026-03-30T10:00:00"}}
    event = event_from_google(TIMED | bare, default_zone="Europe/Berlin")
    assert event.times is not None
    assert event.times.start_at == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_more_than_two_hundred_guests_are_cut_and_said_so() -> None:
    crowd = [{"email": f"guest{number}@client.example"} for number in range(300)]
    event = event_from_google(TIMED | {"attendees": crowd}, default_zone="UTC")
    assert (len(event.guests), event.guests_omitted) == (200, True)


@pytest.mark.parametrize(
    "broken",
    [
        {"start": {"dateTime": "yesterday"}},
        {"start": {"date": "2026-05-01"}},
        {"start": {}},
        {"status": "maybe"},
        {"attendees": "Lee"},
        {"updated": 7},
        {"start": {"dateTime": "2026-03-30T09:00:00", "timeZone": "Middle-earth/Shire"}},
    ],
)
def test_an_event_that_cannot_be_read_is_named_by_its_id_and_not_quoted(broken: dict[str, Any]) -> None:
    with pytest.raises(PayloadError) as caught:
        event_from_google(TIMED | broken, default_zone="UTC")
    assert str(caught.value) == "event 4fk2m0v8ab1 cannot be read"


def test_a_notice_is_read_from_its_headers_alone() -> None:
    headers = {
        "X-Goog-Channel-Id": "c1",
        "X-Goog-Channel-Token": "secret",
        "X-Goog-Resource-Id": "r1",
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "17",
    }
    assert read_channel_notice(headers) == ChannelNotice("c1", "secret", "r1", "17", opening=False)
    assert read_channel_notice(headers | {"X-Goog-Resource-State": "sync"}).opening
    for name in ("X-Goog-Channel-Id", "X-Goog-Channel-Token", "X-Goog-Resource-Id"):
        with pytest.raises(ProofError):
            read_channel_notice({kept: value for kept, value in headers.items() if kept != name})


# ------------------------------------------------------------------------------------------------------- over the wire


@dataclass
class World:
    """The simulated Google, Kim's calendar, and a receiver of notices."""

    simulator: Simulator
    calendar: GoogleCalendar
    address: str
    received: list[dict[str, str]] = field(default_factory=list)

    def act(self, action: str, **body: object) -> dict[str, Any]:
        mount = self.simulator.mount("calendar")
        with mount.lock:
            return mount.service.controls[action]({"email": KIM, **body}) or {}

    def create(self, **event: object) -> str:
        times = {name: TIMED[name] for name in ("start", "end")}
        return str(self.act("create", event={**times, "attendees": [{"email": LEE}], **event})["id"])

    def read(self, sync_token: str | None = None, page: str | None = None) -> EventPage:
        return self.calendar.events(KIM, since=SINCE, sync_token=sync_token, page=page)

    def eventually(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "it never came"
            self.simulator.tick()
            time.sleep(0.01)


def always(token: str) -> Token:
    return lambda _: token


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Simulator, str]]:
    folder: Path = tmp_path_factory.mktemp("google")
    simulator = Simulator(Settings(folder), publish=lambda *_: None)
    with running(create_app(simulator)) as url:
        yield simulator, url


@pytest.fixture
def world(google: tuple[Simulator, str]) -> Iterator[World]:
    simulator, url = google
    simulator.reset()
    client = simulator.grants.register(CLIENT)
    simulator.create_account({"email": KIM})
    token = str(simulator.grants.issue(KIM, SCOPES, client)["access_token"])
    http = GoogleHttp(always(token), clock=FakeClock(datetime.now(UTC)), chance=FakeChance(), root_url=url)
    app, received = Flask("receiver"), []

    @app.post("/calendar_push")
    def receive() -> Response:
        received.append(dict(request.headers))
        return Response(status=204)

    with running(app) as receiver:
        yield World(simulator, GoogleCalendar(http), f"{receiver}/calendar_push", received)
    assert simulator.gateway.violations == []


def test_the_primary_calendar_is_listed_first(world: World) -> None:
    world.act("add-calendar", summary="Team")
    listings = world.calendar.calendars()
    assert [listing.primary for listing in listings] == [True, False]
    assert listings[0].calendar_id == KIM


def test_everything_is_read_in_pages_and_then_only_changes(world: World) -> None:
    made = {world.create(summary=f"Meeting {number}") for number in range(260)}
    first = world.read()
    assert (len(first.events), first.sync_token) == (250, None)
    last = world.read(page=first.next_page)
    assert {event.event_id for event in (*first.events, *last.events)} == made
    assert last.sync_token is not None

    moved = next(iter(made))
    world.act("delete", event_id=moved)
    changes = world.read(last.sync_token)
    assert [(event.event_id, event.cancelled) for event in changes.events] == [(moved, True)]
    assert world.read(changes.sync_token).events == ()


def test_series_come_as_series_with_their_changed_instances(world: World) -> None:
    series = world.create(summary="Weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
    world.act("cancel", event_id=series, original_start={"dateTime": "2026-04-06T09:00:00+02:00"})
    events = {event.event_id: event for event in world.read().events}
    assert events.pop(series).recurrence == ("RRULE:FREQ=WEEKLY;COUNT=5",)
    (cancelled,) = events.values()
    assert (cancelled.series_id, cancelled.original_start) == (series, "2026-04-06T07:00:00+00:00")
    assert cancelled.cancelled


def test_an_expired_token_is_a_lost_cursor_and_an_unknown_calendar_is_gone(world: World) -> None:
    token = world.read().sync_token
    world.act("expire-tokens")
    with pytest.raises(CursorExpiredError):
        world.read(token)
    with pytest.raises(NotFoundError):
        world.calendar.events("nobody@acme.example", since=SINCE, sync_token=None, page=None)


def test_a_rate_limit_says_when_to_come_back(world: World) -> None:
    world.simulator.faults.arm({"method": "calendar.events.list", "status": 403, "reason": "rateLimitExceeded"})
    with pytest.raises(RateLimitedError):
        world.read()


def test_a_channel_tells_of_changes_until_it_is_stopped(world: World) -> None:
    opened = world.calendar.open_channel(KIM, channel_id="c-1", token="its token", address=world.address)
    assert timedelta(days=6) < opened.expires_at - datetime.now(UTC) < timedelta(days=8)
    world.eventually(lambda: len(world.received) == 1)
    assert read_channel_notice(world.received[0]).opening

    world.create(summary="New")
    world.eventually(lambda: len(world.received) == 2)
    notice = read_channel_notice(world.received[1])
    assert (notice.channel_id, notice.token, notice.opening) == ("c-1", "its token", False)
    assert notice.resource_id == opened.resource_id

    world.calendar.close_channel("c-1", opened.resource_id)
    world.calendar.close_channel("c-1", opened.resource_id)
    assert world.act("channels")["channels"] == []


# -------------------------------------------------------------------------------------------------------- the whole way


@pytest.fixture
def ann(google: tuple[Simulator, str]) -> Iterator[tuple[crm.World, World]]:
    """Ann and Ben of the use cases' stories, whose calendars now lie at the simulated Google."""
    simulator, url = google
    simulator.reset()
    client = simulator.grants.register(CLIENT)
    people = crm.World()
    people.clock.set(datetime.now(UTC))
    for email, name in ((crm.ANN, "ann"), (crm.BEN, "ben")):
        simulator.create_account({"email": email})
        token = str(simulator.grants.issue(email, SCOPES, client)["access_token"])
        http = GoogleHttp(always(token), clock=people.clock, chance=FakeChance(), root_url=url)
        setattr(people, name, GoogleCalendar(http))
    yield people, World(simulator, people.ann, "")  # type: ignore[arg-type]  # no fake any more
    assert simulator.gateway.violations == []


def soon(people: crm.World, *, days: int = 3, minutes: int = 60) -> dict[str, Any]:
    """A start and an end in a few days, in Berlin."""
    start_at = (people.clock.now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    times = {"start": start_at, "end": start_at + timedelta(minutes=minutes)}
    return {name: {"dateTime": moment.isoformat(), "timeZone": "Europe/Berlin"} for name, moment in times.items()}


def test_a_meeting_of_two_colleagues_is_one_entry_read_by_both(ann: tuple[crm.World, World]) -> None:
    people, google = ann
    people.connect(crm.ANN_MAILBOX, crm.BEN_MAILBOX)
    guests = [{"email": crm.BEN}, {"email": crm.CARLA, "displayName": "Carla"}]
    event = {"summary": "Kick-off", "attendees": guests, **soon(people)}
    event_id = google.act("create", email=crm.ANN, event=event)["id"]
    people.read(crm.ANN_MAILBOX)
    people.read(crm.BEN_MAILBOX)
    (occurrence,) = people.events()
    assert (occurrence.title, occurrence.readers) == ("Kick-off", ("ann:full", "ben:full"))
    assert people.titles() == ["Kick-off"]

    google.act("delete", email=crm.ANN, event_id=event_id)
    people.read(crm.ANN_MAILBOX)
    people.read(crm.BEN_MAILBOX)
    assert people.events() == []


def test_a_series_lives_through_moves_cancellations_and_a_lost_token(ann: tuple[crm.World, World]) -> None:
    people, google = ann
    times = soon(people)
    series = {"summary": "Weekly", "attendees": [{"email": crm.CARLA}], "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}
    event_id = google.act("create", email=crm.ANN, event={**series, **times})["id"]
    people.connect(crm.ANN_MAILBOX)
    ids = [entry.entry_id for entry in people.timeline("carla")]
    originals = [entry.meeting.start_at for entry in people.timeline("carla") if entry.meeting]
    assert len(ids) == 4

    second = {"dateTime": originals[1].isoformat(), "timeZone": "UTC"}
    later = {
        name: {"dateTime": (originals[1] + timedelta(hours=hours)).isoformat(), "timeZone": "UTC"}
        for name, hours in (("start", 5), ("end", 6))
    }
    google.act("move", email=crm.ANN, event_id=event_id, original_start=second, **later)
    third = {"dateTime": originals[2].isoformat(), "timeZone": "UTC"}
    google.act("cancel", email=crm.ANN, event_id=event_id, original_start=third)
    people.read(crm.ANN_MAILBOX)
    expected = [originals[0], originals[1] + timedelta(hours=5), originals[3]]
    assert people.starts() == expected

    google.act("expire-tokens", email=crm.ANN)
    people.read(crm.ANN_MAILBOX)
    assert people.starts() == expected
    assert [entry.entry_id for entry in people.timeline("carla")] == [ids[0], ids[1], ids[3]]
    google.act("delete", email=crm.ANN, event_id=event_id)
    people.read(crm.ANN_MAILBOX)
    assert people.starts() == []

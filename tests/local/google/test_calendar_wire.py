"""Calendar over HTTP: Google's own Python client reads it, and a receiver gets its notifications."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from googleapiclient.errors import HttpError

from local.cloud.serving import running
from local.google.app import create_app
from local.google.service import Settings
from local.google.simulator import Simulator
from tests.local.google.conftest import CLIENT, PEOPLE, Google

ADA, BEN = PEOPLE
CALENDAR = ("https://www.googleapis.com/auth/calendar",)
TIMES = {
    "start": {"dateTime": "2026-03-02T10:00:00+01:00", "timeZone": "Europe/Oslo"},
    "end": {"dateTime": "2026-03-02T11:00:00+01:00", "timeZone": "Europe/Oslo"},
}
EXPORT = b"""BEGIN:VCALENDAR
X-WR-TIMEZONE:Europe/Oslo
BEGIN:VEVENT
UID:4fk2m0v8ab1@google.com
DTSTART;TZID=W. Europe Standard Time:20260302T090000
DURATION:PT15M
RRULE:FREQ=WEEKLY;BYDAY=MO
EXDATE;TZID=W. Europe Standard Time:20260309T090000
ORGANIZER;CN=Host:mailto:host@example.org
ATTENDEE;CN=Ada;PARTSTAT=ACCEPTED:mailto:ada@acme.example
ATTENDEE;PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT:mailto:cleo@example.org
X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij
CLASS:PRIVATE
ATTACH;FMTTYPE=application/pdf;FILENAME=plan.pdf:https://drive.example/plan
END:VEVENT
BEGIN:VEVENT
UID:4fk2m0v8ab1@google.com
RECURRENCE-ID:20260316T080000Z
DTSTART:20260316T130000Z
DTEND:20260316T131500Z
END:VEVENT
BEGIN:VEVENT
UID:holiday
DTSTART;VALUE=DATE:20260501
END:VEVENT
END:VCALENDAR
"""


@dataclass
class Hook:
    """A webhook receiver: remembers headers and bodies, answers the statuses it was given, then 204."""

    address: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def states(self) -> list[str]:
        return [headers["X-Goog-Resource-State"] for headers, _ in self.received]


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook, app = Hook(), Flask("hook")

    @app.post("/push/<path:place>")
    def receive(place: str) -> Response:
        hook.received.append((dict(request.headers), request.get_data()))
        return Response(status=hook.statuses.pop(0) if hook.statuses else 204)

    with running(app) as root:
        hook.address = f"{root}/push/calendar?from=google"
        yield hook


def create(google: Google, email: str = ADA, **event: Any) -> dict[str, Any]:
    answer = google.control("calendar/create", {"email": email, "event": {**TIMES, **event}})
    assert isinstance(answer, dict)
    return answer


def eventually(google: Google, condition: Callable[[], bool]) -> None:
    """Let the simulator work until the condition holds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        google.simulator.tick()
        time.sleep(0.01)


def refusal(call: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        call.execute(num_retries=0)
    detail = caught.value.error_details
    return caught.value.status_code, detail[0]["reason"] if isinstance(detail, list) and detail else ""


def test_googles_client_reads_calendars_events_and_changes(google: Google) -> None:
    made = [create(google, summary=f"Meeting {number}")["id"] for number in range(5)]
    calendar = google.build("calendar", "v3", ADA, CALENDAR)
    (entry,) = calendar.calendarList().list().execute()["items"]
    assert (entry["id"], entry["primary"], entry["accessRole"]) == (ADA, True, "owner")
    assert calendar.calendars().get(calendarId=ADA).execute()["timeZone"] == "UTC"

    ids: list[str] = []
    ask = calendar.events().list(calendarId="primary", maxResults=2)
    while ask is not None:
        answer = ask.execute()
        ids += [event["id"] for event in answer["items"]]
        ask = calendar.events().list_next(ask, answer)
    assert sorted(ids) == sorted(made)

    google.control("calendar/delete", {"email": ADA, "event_id": made[0]})
    changes = calendar.events().list(calendarId="primary", syncToken=answer["nextSyncToken"]).execute()
    assert [(event["id"], event["status"]) for event in changes["items"]] == [(made[0], "cancelled")]
    assert calendar.events().get(calendarId=ADA, eventId=made[0]).execute()["status"] == "cancelled"


def test_an_expired_token_is_410_gone(google: Google) -> None:
    calendar = google.build("calendar", "v3", ADA, CALENDAR)
    token = calendar.events().list(calendarId="primary").execute()["nextSyncToken"]
    google.control("calendar/expire-tokens", {"email": ADA})
    assert refusal(calendar.events().list(calendarId="primary", syncToken=token)) == (410, "fullSyncRequired")


def test_refusals_carry_status_and_reason(google: Google) -> None:
    calendar = google.build("calendar", "v3", ADA, CALENDAR)
    token = calendar.events().list(calendarId="primary").execute()["nextSyncToken"]
    events = calendar.events()
    assert refusal(events.list(calendarId="primary", syncToken=token, q="x")) == (400, "invalid")
    assert refusal(events.list(calendarId=BEN)) == (404, "notFound")
    assert refusal(events.get(calendarId="primary", eventId="nothing00")) == (404, "notFound")
    assert refusal(events.list(calendarId="primary", timeMin="2026-03-02T10:00:00")) == (400, "badRequest")
    mail_only = google.build("calendar", "v3", ADA)
    assert refusal(mail_only.events().list(calendarId="primary"))[0] == 403


def test_more_than_the_quota_is_403_rate_limit_exceeded(tmp_path: Path) -> None:
    simulator = Simulator(Settings(tmp_path, calendar_calls_per_minute=3), publish=lambda *_: None)
    simulator.grants.register(CLIENT)
    simulator.create_account({"email": ADA})
    with running(create_app(simulator)) as root:
        google = Google(simulator, f"{root}/")
        ask = google.build("calendar", "v3", ADA, CALENDAR).calendarList().list()
        for _ in range(3):
            ask.execute()
        assert refusal(ask) == (403, "rateLimitExceeded")
        google.control("clock", {"advance_s": 60})
        assert ask.execute()["items"]


def test_a_channel_tells_a_real_receiver(google: Google, hook: Hook) -> None:
    calendar = google.build("calendar", "v3", ADA, CALENDAR)
    wish = {"id": "channel-1", "type": "web_hook", "address": hook.address, "token": "secret"}
    channel = calendar.events().watch(calendarId="primary", body=wish).execute()
    eventually(google, lambda: hook.states() == ["sync"])
    hook.statuses = [503]
    create(google)
    google.control("clock", {"advance_s": 5})
    eventually(google, lambda: hook.states() == ["sync", "exists"])
    google.simulator.tick()
    google.control("clock", {"advance_s": 5})
    eventually(google, lambda: hook.states() == ["sync", "exists", "exists"])

    headers, body = hook.received[-1]
    assert body == b""
    assert headers["X-Goog-Channel-Token"] == "secret"
    assert headers["X-Goog-Resource-Id"] == channel["resourceId"]
    assert headers["User-Agent"].startswith("APIs-Google")
    assert int(headers["X-Goog-Message-Number"]) > 1

    calendar.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()
    create(google)
    assert google.control("calendar/channels")["channels"] == []


def test_the_sync_message_can_come_before_the_watch_answer(google: Google, hook: Hook) -> None:
    google.control("calendar/early-sync")
    calendar = google.build("calendar", "v3", ADA, CALENDAR)
    wish = {"id": "channel-1", "type": "web_hook", "address": hook.address}
    calendar.events().watch(calendarId="primary", body=wish).execute()
    assert hook.states() == ["sync"]  # nothing was waited for


def test_a_receiver_that_is_not_there_is_tried_again(google: Google, hook: Hook) -> None:
    calendar = google.build("calendar", "v3", ADA, CALENDAR)
    wish = {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:9/push"}
    calendar.events().watch(calendarId="primary", body=wish).execute()
    eventually(google, lambda: bool(google.control("calendar/pushes")["messages"]))
    (entry,) = google.control("calendar/pushes")["messages"]
    assert entry["outcome"] == "to be tried again"


def test_an_exported_calendar_reads_as_google_would_show_it(google: Google, tmp_path: Path) -> None:
    path = tmp_path / "calendar.ics"
    path.write_bytes(EXPORT)
    assert google.control("calendar/seed", {"email": ADA, "paths": [str(path)]}) == {"added": 4, "left_out": []}

    answer = google.build("calendar", "v3", ADA, CALENDAR).events().list(calendarId="primary").execute()

    assert answer["timeZone"] == "Europe/Oslo"
    by_id = {event["id"]: event for event in answer["items"]}
    master = by_id["4fk2m0v8ab1"]
    assert master["recurrence"] == ["RRULE:FREQ=WEEKLY;BYDAY=MO"]
    assert [guest.get("self", False) for guest in master["attendees"]] == [True, False]
    assert (master["visibility"], master["attachments"][0]["title"]) == ("private", "plan.pdf")
    assert by_id["4fk2m0v8ab1_20260309T080000Z"]["status"] == "cancelled"
    assert by_id["4fk2m0v8ab1_20260316T080000Z"]["start"]["dateTime"] == "2026-03-16T13:00:00Z"
    assert len(by_id) == 4
    moved = {"email": ADA, "event_id": "4fk2m0v8ab1", "start": {"date": "2026-03-24"}, "end": {"date": "2026-03-25"}}
    moved["original_start"] = {"dateTime": "2026-03-23T09:00:00", "timeZone": "Europe/Berlin"}
    assert google.control("calendar/move", moved)["id"] == "4fk2m0v8ab1_20260323T080000Z"


def test_a_person_sees_calendars_and_channels_on_the_front_page(google: Google) -> None:
    create(google)
    page = google.simulator.mount("calendar").service.tables()
    assert [table.title for table in page] == ["Calendars", "Calendar channels"]
    assert page[0].rows[0] == (ADA, ADA, "UTC", 1, 0)


def test_a_saved_state_comes_back(google: Google) -> None:
    event = create(google, attendees=[{"email": BEN}])
    google.control("save", {"name": "before"})
    google.control("calendar/cancel", {"email": ADA, "event_id": event["id"]})
    google.control("load", {"name": "before"})
    calendar = google.build("calendar", "v3", BEN, CALENDAR)
    assert calendar.events().get(calendarId="primary", eventId=event["id"]).execute()["status"] == "confirmed"

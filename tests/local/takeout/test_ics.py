"""Calendar exports of Google, Outlook and Apple become events as the Calendar API shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.takeout.files import UnreadableFileError
from local.takeout.ics import ExportedCalendar, read_ics

OSLO = {"timeZone": "Europe/Oslo"}
Read = Callable[..., ExportedCalendar]


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def read(tmp_path: Path, notices: list[str]) -> Read:
    """Read VEVENT bodies (or a whole file) of a calendar whose home is Oslo."""

    def read_file(*events: str, before: str = "", whole: bytes | None = None) -> ExportedCalendar:
        blocks = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
        head = f"BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Work\nX-WR-TIMEZONE:Europe/Oslo\n{before}"
        text = f"{head}{blocks}END:VCALENDAR\n"
        path = tmp_path / "calendar.ics"
        path.write_bytes(text.replace("\n", "\r\n").encode() if whole is None else whole)
        (calendar,) = read_ics(
            [path], own_addresses=["ada@example.com"], default_zone=ZoneInfo("UTC"), report=notices.append
        )
        return calendar

    return read_file


def only(calendar: ExportedCalendar) -> dict[str, Any]:
    (event,) = calendar.events
    return event


def test_a_google_event_keeps_its_own_id_guests_answers_and_meet_link(read: Read) -> None:
    calendar = read(
        """UID:4fk2m0v8ab1@google.com
DTSTART;TZID=Europe/Oslo:20260302T100000
DTEND;TZID=Europe/Oslo:20260302T110000
SUMMARY:Kick-off\\, part one
DESCRIPTION:Agenda\\nand notes
LOCATION:Room 4
STATUS:TENTATIVE
SEQUENCE:3
CREATED:20260201T080000Z
LAST-MODIFIED:20260202T090000Z
ORGANIZER;CN=Ada Lovelace:mailto:ada@example.com
ATTENDEE;CN=Ada Lovelace;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:ada@example.com
ATTENDEE;CN="Hill, Bob";PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT:MAILTO:Bob@Example.org
ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=NEEDS-ACTION:mailto:room4@example.com
X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij"""
    )
    assert (calendar.name, calendar.time_zone) == ("Work", "Europe/Oslo")
    event = only(calendar)
    assert event["id"] == "4fk2m0v8ab1"
    assert event["iCalUID"] == "4fk2m0v8ab1@google.com"
    assert event["start"] == {"dateTime": "2026-03-02T10:00:00+01:00", **OSLO}
    assert event["end"] == {"dateTime": "2026-03-02T11:00:00+01:00", **OSLO}
    assert (event["summary"], event["description"]) == ("Kick-off, part one", "Agenda\nand notes")
    assert (event["location"], event["status"], event["sequence"]) == ("Room 4", "tentative", 3)
    assert (event["created"], event["updated"]) == ("2026-02-01T08:00:00.000Z", "2026-02-02T09:00:00.000Z")
    assert event["organizer"] == {"email": "ada@example.com", "displayName": "Ada Lovelace", "self": True}
    ada, bob, room = event["attendees"]
    assert (ada["responseStatus"], ada["self"], ada["organizer"]) == ("accepted", True, True)
    assert bob == {
        "email": "bob@example.org",
        "displayName": "Hill, Bob",
        "responseStatus": "declined",
        "optional": True,
    }
    assert (room["resource"], room["responseStatus"]) == (True, "needsAction")
    assert event["hangoutLink"] == "https://meet.google.com/abc-defg-hij"
    assert event["conferenceData"]["conferenceId"] == "abc-defg-hij"


def test_a_foreign_uid_gives_the_same_id_every_time_in_googles_alphabet(read: Read) -> None:
    body = "UID:040000008200E00074C5B7101A82E008\nDTSTART:20260302T100000Z\n"
    first, second = only(read(body)), only(read(body))
    assert first["id"] == second["id"]
    assert set(first["id"]) <= set("abcdefghijklmnopqrstuv0123456789")


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        ("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260503", "2026-05-01", "2026-05-03"),
        ("DTSTART;VALUE=DATE:20260501", "2026-05-01", "2026-05-02"),
        ("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260501", "2026-05-01", "2026-05-02"),
        ("DTSTART;VALUE=DATE:20260501\nDURATION:P3D", "2026-05-01", "2026-05-04"),
        (
            "DTSTART;TZID=Europe/Oslo:20260501T000000\nDTEND;TZID=Europe/Oslo:20260502T000000\n"
            "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            "2026-05-01",
            "2026-05-02",
        ),
    ],
)
def test_all_day_events_are_dates_with_an_exclusive_end(read: Read, lines: str, start: str, end: str) -> None:
    event = only(read(f"UID:1\n{lines}"))
    assert (event["start"], event["end"]) == ({"date": start}, {"date": end})


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ("DURATION:PT90M", "2026-03-02T11:30:00+01:00"),
        ("", "2026-03-02T10:00:00+01:00"),
        ("DTEND;TZID=Europe/Oslo:20260302T090000", "2026-03-02T10:00:00+01:00"),
        ("DTEND:rubbish", "2026-03-02T10:00:00+01:00"),
    ],
)
def test_the_end_of_a_timed_event_is_never_before_its_start(read: Read, lines: str, end: str) -> None:
    assert only(read(f"UID:1\nDTSTART;TZID=Europe/Oslo:20260302T100000\n{lines}"))["end"]["dateTime"] == end


CUSTOM_ZONE = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("DTSTART:20260702T100000Z", {"dateTime": "2026-07-02T10:00:00Z", "timeZone": "UTC"}),
        ("DTSTART:20260702T100000", {"dateTime": "2026-07-02T10:00:00+02:00", **OSLO}),
        (
            "DTSTART;TZID=W. Europe Standard Time:20260702T100000",
            {"dateTime": "2026-07-02T10:00:00+02:00", "timeZone": "Europe/Berlin"},
        ),
        (
            "DTSTART;TZID=Pacific Standard Time:20260702T100000",
            {"dateTime": "2026-07-02T10:00:00-07:00", "timeZone": "America/Los_Angeles"},
        ),
        (
            "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Oslo:20260702T100000",
            {"dateTime": "2026-07-02T10:00:00+02:00", **OSLO},
        ),
        (
            "DTSTART;TZID=Customized Time Zone:20260702T100000",
            {"dateTime": "2026-07-02T10:00:00-04:00", "timeZone": "America/New_York"},
        ),
        ("DTSTART;TZID=Nowhere/Land:20260702T100000", {"dateTime": "2026-07-02T10:00:00+02:00", **OSLO}),
    ],
)
def test_every_zone_name_becomes_one_that_google_knows(read: Read, start: str, expected: dict[str, str]) -> None:
    assert only(read(f"UID:1\n{start}", before=CUSTOM_ZONE))["start"] == expected


SERIES = """UID:standup@example.org
DTSTART;TZID=Europe/Oslo:20260302T090000
DTEND;TZID=Europe/Oslo:20260302T091500
SUMMARY:Stand-up
RRULE:FREQ=WEEKLY;UNTIL=20260501T000000Z;BYDAY=MO
"""


def test_a_series_is_a_master_without_start_in_its_rule(read: Read) -> None:
    master = only(read(SERIES))
    assert master["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260501T000000Z;BYDAY=MO"]
    assert master["start"]["timeZone"] == "Europe/Oslo"


def test_a_moved_instance_names_its_series_and_its_original_start(read: Read) -> None:
    moved = """UID:standup@example.org
RECURRENCE-ID:20260406T070000Z
DTSTART;TZID=Europe/Oslo:20260407T140000
DTEND;TZID=Europe/Oslo:20260407T141500
SUMMARY:Stand-up (moved)"""
    master, instance = read(moved, SERIES).events
    assert instance["recurringEventId"] == master["id"]
    assert instance["id"] == f"{master['id']}_20260406T070000Z"
    assert instance["originalStartTime"] == {"dateTime": "2026-04-06T09:00:00+02:00", **OSLO}
    assert instance["start"]["dateTime"] == "2026-04-07T14:00:00+02:00"
    assert instance["iCalUID"] == master["iCalUID"]
    assert "recurrence" not in instance


@pytest.mark.parametrize(
    "lines",
    [
        "EXDATE;TZID=Europe/Oslo:20260309T090000,20260330T090000",
        "EXDATE:20260309T080000Z\nEXDATE:20260330T070000Z",
        "EXDATE;VALUE=DATE:20260309,20260330",
    ],
)
def test_excluded_dates_are_cancelled_instances(read: Read, lines: str) -> None:
    master, *cancelled = read(SERIES + lines).events
    assert [instance["status"] for instance in cancelled] == ["cancelled", "cancelled"]
    assert [instance["originalStartTime"]["dateTime"] for instance in cancelled] == [
        "2026-03-09T09:00:00+01:00",
        "2026-03-30T09:00:00+02:00",  # the same clock time after the change to summer time
    ]
    assert "EXDATE" not in "".join(master["recurrence"])


def test_a_cancelled_instance_keeps_only_what_names_it(read: Read) -> None:
    gone = "UID:standup@example.org\nRECURRENCE-ID:20260309T080000Z\nDTSTART:20260309T080000Z\nSTATUS:CANCELLED"
    _, instance = read(SERIES, gone).events
    assert set(instance) == {"id", "recurringEventId", "originalStartTime", "status"}


def test_an_all_day_series_names_its_instances_by_date(read: Read) -> None:
    master, gone, moved = read(
        "UID:1\nDTSTART;VALUE=DATE:20260501\nRRULE:FREQ=DAILY;COUNT=5\nEXDATE;VALUE=DATE:20260502",
        "UID:1\nRECURRENCE-ID;VALUE=DATE:20260503\nDTSTART;VALUE=DATE:20260510",
    ).events
    assert gone["id"] == f"{master['id']}_20260502"
    assert gone["originalStartTime"] == {"date": "2026-05-02"}
    assert (moved["originalStartTime"], moved["start"]) == ({"date": "2026-05-03"}, {"date": "2026-05-10"})


def test_extra_dates_are_kept_as_lines(read: Read) -> None:
    assert only(read(SERIES + "RDATE;TZID=Europe/Oslo:20260603T090000"))["recurrence"][1] == "RDATE:20260603T070000Z"


def test_an_instance_without_its_series_stands_alone(read: Read) -> None:
    event = only(read("UID:4fk2m0v8ab1@google.com\nRECURRENCE-ID:20260309T080000Z\nDTSTART:20260309T093000Z"))
    assert event["recurringEventId"] == "4fk2m0v8ab1"
    assert event["id"] == "4fk2m0v8ab1_20260309T080000Z"


def test_of_two_copies_of_an_event_the_newer_counts(read: Read) -> None:
    old = "UID:1\nDTSTART:20260302T100000Z\nSEQUENCE:1\nSUMMARY:old"
    new = "UID:1\nDTSTART:20260302T120000Z\nSEQUENCE:2\nSUMMARY:new"
    assert only(read(new, old))["summary"] == "new"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("CLASS:PRIVATE", "visibility", "private"),
        ("CLASS:CONFIDENTIAL", "visibility", "confidential"),
        ("TRANSP:TRANSPARENT", "transparency", "transparent"),
        ("STATUS:CANCELLED", "status", "cancelled"),
        ("STATUS:NONSENSE", "status", "confirmed"),
        (
            "DESCRIPTION:Join: https://meet.google.com/abc-defg-hij",
            "hangoutLink",
            "https://meet.google.com/abc-defg-hij",
        ),
    ],
)
def test_single_properties(read: Read, line: str, field: str, value: str) -> None:
    assert only(read(f"UID:1\nDTSTART:20260302T100000Z\n{line}"))[field] == value


def test_a_teams_link_is_a_conference_of_another_vendor(read: Read) -> None:
    link = "https://teams.example/join/1"
    event = only(read(f"UID:1\nDTSTART:20260302T100000Z\nX-MICROSOFT-SKYPETEAMSMEETINGURL:{link}"))
    assert event["conferenceData"]["entryPoints"][0]["uri"] == link
    assert "hangoutLink" not in event


def test_guests_without_address_are_dropped_and_apples_email_parameter_is_read(read: Read) -> None:
    event = only(
        read(
            "UID:1\nDTSTART:20260302T100000Z\nATTENDEE;CN=Someone:invalid:nomail\n"
            "ATTENDEE;CN=Cleo;EMAIL=cleo@example.org;PARTSTAT=ACCEPTED:urn:uuid:7a1c"
        )
    )
    assert [guest["email"] for guest in event["attendees"]] == ["cleo@example.org"]


def test_one_broken_event_costs_no_other(read: Read, notices: list[str]) -> None:
    good = "UID:{}\nDTSTART:20260302T100000Z"
    calendar = read(
        good.format(1), "UID:2\nDTSTART:never", "UID:3\nDTSTART:20260302T100000Z\nno colon here", good.format(4)
    )
    assert [event["iCalUID"] for event in calendar.events] == ["1", "3", "4"]
    assert "UID 2 was left out: it has no readable start" in notices[0]


def test_an_event_that_stops_the_parser_costs_no_other(read: Read, notices: list[str]) -> None:
    good = "UID:1\nDTSTART:20260302T100000Z"
    assert only(read(good, "UID:2\nDTSTART;TZID=Europe:20260302T100000"))["iCalUID"] == "1"
    assert "cannot be read and was left out" in notices[0]


def test_a_time_before_there_were_time_zones_is_written_in_utc(read: Read) -> None:
    start = only(read("UID:1\nDTSTART;TZID=America/New_York:18800101T000000"))["start"]
    assert start["dateTime"] == "1880-01-01T04:56:02Z"


def test_times_beyond_the_calendar_are_left_out(read: Read, notices: list[str]) -> None:
    assert read("UID:1\nDTSTART:99991231T230000Z\nDURATION:P9D", "UID:2\nDTSTART:00010101T000000").events == []
    assert ["was left out" in notice for notice in notices] == [True, True]


def test_a_file_that_ends_inside_an_event_gives_the_events_before(read: Read, notices: list[str]) -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260302T100000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTST"
    assert [event["iCalUID"] for event in read(whole=text.encode()).events] == ["1"]
    assert "ends inside an event" in notices[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(read: Read, encoding: str) -> None:
    event = "BEGIN:VEVENT\nUID:1\nDTSTART:20260302T100000Z\nSUMMARY:Café – später\nEND:VEVENT"
    text = f"BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR"
    assert only(read(whole=text.encode(encoding)))["summary"] == "Café – später"


def test_tasks_and_alarms_are_no_events(read: Read) -> None:
    alarm = "UID:1\nDTSTART:20260302T100000Z\nBEGIN:VALARM\nTRIGGER:-PT10M\nACTION:DISPLAY\nDESCRIPTION:x\nEND:VALARM"
    assert only(read(alarm, before="BEGIN:VTODO\nUID:t\nSUMMARY:x\nEND:VTODO\n"))["iCalUID"] == "1"


def test_an_empty_file_is_an_empty_calendar_and_another_file_is_named(read: Read) -> None:
    assert read(whole=b"").events == []
    with pytest.raises(UnreadableFileError, match=r"calendar\.ics: byte 0 does not begin a calendar"):
        read(whole=b"\x89PNG\r\n\x1a\n")

"""Reads events.yaml: meetings as Google's Events resources, one copy per user who calls them or is invited."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from local.google.calendar import series
from local.google.calendar.shapes import api_time, instance_of
from local.sample.model import ApiEvent, ExpectedMeeting, MeetingOutcome
from local.sample.moments import day_from
from local.sample.people import Cast, Row
from shared.domain.ledger import Rule

_ANSWERS = ("accepted", "needsAction", "declined", "tentative")
_FOUND_WITHIN = 400


@dataclass(frozen=True, slots=True)
class Meetings:
    """The meetings as rows of events.yaml."""

    rows: list[Row]
    cast: Cast
    now: datetime

    def calendars(self) -> dict[str, list[ApiEvent]]:
        """Each user's events by primary address: series first, then their changed and cancelled instances."""
        found: dict[str, list[ApiEvent]] = {user.email: [] for user in self.cast.users.values()}
        for row in self.rows:
            events = [self.event(row), *self._exceptions(row)]
            for user in self._holders(row):
                found[self.cast.users[user].email] += [dict(event) for event in events]
        return found

    def expected(self) -> Iterator[ExpectedMeeting]:
        for row in self.rows:
            for user in self._holders(row):
                outcome, rule = _outcome(row.get("expect", {}).get(user, "logged"))
                names = row["contacts"] if outcome is MeetingOutcome.LOGGED else []
                yield ExpectedMeeting(
                    row["id"], self.cast.users[user].email, event_id(row["id"]), outcome, rule, self.cast.emails(names)
                )

    def event(self, row: Row) -> ApiEvent:
        """A single event, or the master of a series."""
        organizer = self.cast.person(row["organizer"])
        start, end = self._times(row)
        event: ApiEvent = {
            "id": event_id(row["id"]),
            "iCalUID": f"{event_id(row['id'])}@google.com",
            "status": "confirmed",
            "summary": row["title"],
            "organizer": {"email": organizer.email, "displayName": organizer.name},
            "creator": {"email": organizer.email},
            "start": api_time(start),
            "end": api_time(end),
        }
        if "guests" in row:
            event["attendees"] = [_guest(self.cast, row["organizer"], "accepted", organizer=True)]
            event["attendees"] += [_guest(self.cast, *_named(guest)) for guest in row["guests"]]
        if "location" in row:
            event["location"] = row["location"]
        if row.get("private"):
            event["visibility"] = "private"
        if "repeats" in row:
            event["recurrence"] = [row["repeats"]]
        if "meet" in row:
            event |= _meet(row["meet"])
        return event

    def next_instance(self, row: Row) -> date | datetime:
        """The first instance after now that is neither moved nor cancelled. Raises: StopIteration, there is none."""
        touched = {*row.get("moved", {}), *row.get("cancelled", [])}
        starts = enumerate(islice(series.starts(self.event(row)), _FOUND_WITHIN), start=1)
        return next(start for number, start in starts if number not in touched and _after(start, self.now))

    def invitation(self, row: Row) -> str:
        """What the organizer's calendar mails to the guests (RFC 5546, REQUEST)."""
        organizer, (start, end) = self.cast.person(row["organizer"]), self._times(row)
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            f"UID:{event_id(row['id'])}@google.com",
            f"DTSTAMP:{_utc(self.now)}",
            f"DTSTART:{_utc(start)}",
            f"DTEND:{_utc(end)}",
            f"SUMMARY:{row['title']}",
            f"ORGANIZER;CN={organizer.name}:mailto:{organizer.email}",
            *(
                f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{self.cast.person(_named(guest)[0]).email}"
                for guest in row["guests"]
            ),
            "END:VEVENT",
            "END:VCALENDAR",
        ]
        return "\r\n".join(lines) + "\r\n"

    def _times(self, row: Row) -> tuple[date | datetime, date | datetime]:
        day = day_from(row["day"], self.now)
        if "all_day" in row:
            return day, day + timedelta(days=row["all_day"])
        start = datetime.combine(day, time.fromisoformat(row["time"]), ZoneInfo(row["zone"]))
        return start, start + timedelta(minutes=row["minutes"])

    def _exceptions(self, row: Row) -> Iterator[ApiEvent]:
        master = self.event(row)
        people = {name: master[name] for name in ("iCalUID", "organizer", "creator")}
        for number, change in row.get("moved", {}).items():
            original = _nth(master, number)
            clock = time.fromisoformat(change["time"])
            start = datetime.combine(original.date() + timedelta(days=change["days"]), clock, original.tzinfo)
            times = {"start": api_time(start), "end": api_time(start + series.duration(master))}
            whole = {name: value for name, value in master.items() if name != "recurrence"}
            yield {**whole, **instance_of(master["id"], original), **times}
        for number in row.get("cancelled", []):
            yield {**people, **instance_of(master["id"], _nth(master, number)), "status": "cancelled"}

    def _holders(self, row: Row) -> list[str]:
        names = [row["organizer"], *(_named(guest)[0] for guest in row.get("guests", ()))]
        users = (self.cast.user_behind(self.cast.person(name).email) for name in names)
        return list(dict.fromkeys(user for user in users if user))


def event_id(name: str) -> str:
    """An id as Google makes them: lower-case base32hex, 26 letters."""
    return base64.b32hexencode(hashlib.sha256(name.encode()).digest()).decode().lower()[:26]


def _nth(master: ApiEvent, number: int) -> datetime:
    start = next(islice(series.starts(master), number - 1, None))
    if not isinstance(start, datetime):
        raise TypeError(f"{master['id']}: only instances with a time are moved or cancelled in the sample")
    return start


def _after(start: date | datetime, now: datetime) -> bool:
    return start > now if isinstance(start, datetime) else start > now.date()


def _named(guest: str) -> tuple[str, str]:
    """Read "aino" or "aino declined". Raises: ValueError."""
    name, _, answer = guest.partition(" ")
    if answer and answer not in _ANSWERS:
        raise ValueError(f"{answer} is no answer to an invitation")
    return name, answer or "accepted"


def _guest(cast: Cast, name: str, answer: str, *, organizer: bool = False) -> ApiEvent:
    person = cast.person(name)
    guest: ApiEvent = {"email": person.email, "displayName": person.name, "responseStatus": answer}
    return {**guest, "organizer": True} if organizer else guest


def _meet(code: str) -> ApiEvent:
    url = f"https://meet.google.com/{code}"
    entry = {"entryPointType": "video", "uri": url, "label": url.removeprefix("https://")}
    solution = {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"}
    return {
        "hangoutLink": url,
        "conferenceData": {"entryPoints": [entry], "conferenceSolution": solution, "conferenceId": code},
    }


def _utc(moment: date | datetime) -> str:
    if not isinstance(moment, datetime):
        raise TypeError("the sample invites to meetings with a time only")
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _outcome(word: str) -> tuple[MeetingOutcome, Rule | None]:
    if word in set(MeetingOutcome) - {MeetingOutcome.LEFT_OUT}:
        return MeetingOutcome(word), None
    return MeetingOutcome.LEFT_OUT, Rule(word)


def by_id(rows: list[Row]) -> Mapping[str, Row]:
    return {row["id"]: row for row in rows}

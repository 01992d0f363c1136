"""One VEVENT as an event of the Calendar API (RFC 5545 properties on the left, Events resource fields on the right)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import vBroken
from icalendar.cal import Component

from local.google.calendar.shapes import ApiEvent, ApiTime, api_time, instance_of, instance_suffix, rfc3339
from local.takeout.ics_zones import Zones

_GOOGLE_UID = re.compile(r"([a-v0-9]{5,1024}(?:_R[0-9]{8}(?:T[0-9]{6})?)?)@google\.com")
_MEET = re.compile(r"https://meet\.google\.com/([a-z]{3,4}-[a-z]{3,4}-[a-z]{3,4})")
_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
_VISIBILITY = {"PRIVATE": "private", "CONFIDENTIAL": "confidential", "PUBLIC": "public"}
_CONFERENCES = ("X-GOOGLE-CONFERENCE", "CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL")


@dataclass(frozen=True, slots=True)
class EventMapper:
    """Turns components into events: times placed in IANA zones, the owner's addresses marked `self`."""

    zones: Zones
    own_addresses: Collection[str]

    def event(self, component: Component) -> ApiEvent:
        """A single event or the master of a series; the id is Google's own in its exports, else made from the UID.

        Raises: ValueError, OverflowError when it has no start that can be read.
        """
        start = self._start(component)
        sequence = _text(component, "SEQUENCE")
        event: ApiEvent = {
            "id": event_id(uid_of(component)),
            "iCalUID": uid_of(component),
            "status": _text(component, "STATUS").lower() or "confirmed",
            "start": api_time(start),
            "end": api_time(self._end(component, start)),
            "sequence": int(sequence) if sequence.isdigit() else 0,
            **self._stamps(component),
            **self._people(component),
            **_conference(component),
        }
        if event["status"] not in ("confirmed", "tentative", "cancelled"):
            event["status"] = "confirmed"
        for name, key in (("SUMMARY", "summary"), ("DESCRIPTION", "description"), ("LOCATION", "location")):
            if text := _text(component, name):
                event[key] = text
        if visibility := _VISIBILITY.get(_text(component, "CLASS").upper()):
            event["visibility"] = visibility
        if "TRANSPARENT" in _text(component, "TRANSP").upper():
            event["transparency"] = "transparent"
        if attachments := list(_attachments(component)):
            event["attachments"] = attachments
        if lines := list(self._recurrence(component, start)):
            event["recurrence"] = lines
        return event

    def exception(self, component: Component, series: ApiEvent | None) -> ApiEvent:
        """One changed instance of a series; `series` is None when the file holds the instance alone.

        Raises: ValueError, OverflowError as `event`.
        """
        event = self.event(component)
        original = self._moment(component, "RECURRENCE-ID")
        if original is None:
            raise ValueError("its RECURRENCE-ID cannot be read")
        original = self._as_instance(original, series)
        event.pop("recurrence", None)
        named = instance_of(series["id"] if series else event["id"], original)
        return {**named, "status": "cancelled"} if event["status"] == "cancelled" else {**event, **named}

    def left_out(self, component: Component, series: ApiEvent) -> Iterator[ApiEvent]:
        """The instances that EXDATE removes, as Google lists them: cancelled exceptions."""
        for moment in self._moments(component, "EXDATE"):
            yield {**instance_of(series["id"], self._as_instance(moment, series)), "status": "cancelled"}

    def _as_instance(self, moment: date | datetime, series: ApiEvent | None) -> date | datetime:
        """Give an instance's original start the kind (date or time) and the zone of its series."""
        if series is None:
            return moment
        start: ApiTime = series["start"]
        if "date" in start:
            return moment.date() if isinstance(moment, datetime) else moment
        zone = ZoneInfo(start["timeZone"])
        if isinstance(moment, datetime):
            return moment.astimezone(zone)
        return datetime.combine(moment, datetime.fromisoformat(start["dateTime"]).time(), zone)

    def _start(self, component: Component) -> date | datetime:
        start = self._moment(component, "DTSTART")
        if start is None:
            raise ValueError("it has no readable start")
        if isinstance(start, datetime) and _text(component, "X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE":
            return start.date()
        return start

    def _moment(self, component: Component, name: str) -> date | datetime | None:
        return next(self._moments(component, name), None)

    def _moments(self, component: Component, name: str) -> Iterator[date | datetime]:
        start = next((value.dt for value in _values(component, "DTSTART")), None)
        near = self.zones.placed(start).tzinfo if isinstance(start, datetime) else None
        for value in _values(component, name):
            for item in getattr(value, "dts", [value]):
                moment = getattr(item, "dt", None)
                if isinstance(moment, tuple):  # a period: its start counts
                    moment = moment[0]
                if isinstance(moment, datetime):
                    yield self.zones.placed(moment, near=near if isinstance(near, ZoneInfo) else None)
                elif isinstance(moment, date):
                    yield moment

    def _end(self, component: Component, start: date | datetime) -> date | datetime:
        end = self._moment(component, "DTEND")
        if end is None:
            duration = next((value.dt for value in _values(component, "DURATION")), None)
            length = duration if isinstance(duration, timedelta) else timedelta(0)
            if isinstance(start, datetime):
                return (start.astimezone(UTC) + max(length, timedelta(0))).astimezone(start.tzinfo)
            return start + max(timedelta(days=length.days), timedelta(days=1))
        if isinstance(start, datetime):
            if not isinstance(end, datetime):
                end = datetime.combine(end, start.timetz())
            return max(start, end)
        end_date = end.date() if isinstance(end, datetime) else end
        return max(end_date, start + timedelta(days=1))

    def _recurrence(self, component: Component, start: date | datetime) -> Iterator[str]:
        for name in ("RRULE", "EXRULE"):
            for rule in _values(component, name):
                if text := rule.to_ical().decode():
                    yield f"{name}:{text}"
        dates = [instance_suffix(moment) for moment in self._moments(component, "RDATE")]
        if dates:
            kind = "RDATE" if isinstance(start, datetime) else "RDATE;VALUE=DATE"
            yield f"{kind}:{','.join(dates)}"

    def _stamps(self, component: Component) -> dict[str, str]:
        stamps = {}
        for key, names in (("created", ("CREATED", "DTSTAMP")), ("updated", ("LAST-MODIFIED", "DTSTAMP", "CREATED"))):
            for name in names:
                moment = self._moment(component, name)
                if isinstance(moment, datetime) and moment.year > 1970:
                    stamps[key] = rfc3339(moment.astimezone(UTC)).removesuffix("Z") + ".000Z"
                    break
        return stamps

    def _people(self, component: Component) -> ApiEvent:
        people: ApiEvent = {}
        organizer = next((found for found in map(self._person, _values(component, "ORGANIZER")) if found), None)
        if organizer:
            people["organizer"] = organizer
        attendees: dict[str, ApiEvent] = {}
        for value in _values(component, "ATTENDEE"):
            person = self._person(value)
            if person is None:
                continue
            person["responseStatus"] = _ANSWERS.get(_parameter(value, "PARTSTAT").upper(), "needsAction")
            if organizer and person["email"] == organizer["email"]:
                person["organizer"] = True
            if _parameter(value, "ROLE").upper() == "OPT-PARTICIPANT":
                person["optional"] = True
            if _parameter(value, "CUTYPE").upper() in ("RESOURCE", "ROOM"):
                person["resource"] = True
            if comment := _parameter(value, "X-RESPONSE-COMMENT"):
                person["comment"] = comment
            attendees.setdefault(person["email"], person)
        if attendees:
            people["attendees"] = list(attendees.values())
        return people

    def _person(self, value: object) -> ApiEvent | None:
        address = re.sub(r"^mailto:", "", str(value), flags=re.IGNORECASE).strip()
        if "@" not in address:
            address = re.sub(r"^mailto:", "", _parameter(value, "EMAIL"), flags=re.IGNORECASE).strip()
        if "@" not in address:
            return None
        person: ApiEvent = {"email": address.lower()}
        name = _parameter(value, "CN").strip("'\" ")
        if name and name.lower() != person["email"]:
            person["displayName"] = name
        if person["email"] in {own.casefold() for own in self.own_addresses}:
            person["self"] = True
        return person


def event_id(uid: str) -> str:
    """The event id for a UID: Google's own inside Google's UIDs, else a hash in Google's alphabet (a-v, 0-9)."""
    google = _GOOGLE_UID.fullmatch(uid)
    if google:
        return google[1]
    return base64.b32hexencode(hashlib.sha256(uid.encode()).digest()).decode().rstrip("=").lower()


def _conference(component: Component) -> ApiEvent:
    for name in _CONFERENCES:
        for value in _values(component, name):
            url = str(value)
            if url.startswith("https://") and not _MEET.match(url):
                solution = {"key": {"type": "addOn"}}
                return {"conferenceData": {"entryPoints": [_video(url)], "conferenceSolution": solution}}
            if url.startswith("https://"):
                return _meet(url)
    meet = _MEET.search(_text(component, "DESCRIPTION"))
    return _meet(meet[0]) if meet else {}


def _meet(url: str) -> ApiEvent:
    match = _MEET.match(url)
    solution = {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"}
    conference: ApiEvent = {"entryPoints": [_video(url)], "conferenceSolution": solution}
    if match:
        conference["conferenceId"] = match[1]
    return {"hangoutLink": url, "conferenceData": conference}


def _video(url: str) -> dict[str, str]:
    return {"entryPointType": "video", "uri": url, "label": url.removeprefix("https://")}


def _attachments(component: Component) -> Iterator[dict[str, str]]:
    for value in _values(component, "ATTACH"):
        url = str(value)
        if url.startswith("https://"):
            title = _parameter(value, "FILENAME") or _parameter(value, "X-FILENAME") or url.rpartition("/")[2]
            kind = _parameter(value, "FMTTYPE")
            yield {"fileUrl": url, "title": title, **({"mimeType": kind} if kind else {})}


def uid_of(component: Component) -> str:
    """The UID, or one made from what the event says when it has none."""
    uid = _text(component, "UID")
    if uid:
        return uid
    described = f"{_text(component, 'SUMMARY')}\n{_text(component, 'DTSTART')}"
    return f"{hashlib.sha256(described.encode()).hexdigest()[:32]}@no-uid.invalid"


def _values(component: Component, name: str) -> list[Any]:
    value = component.get(name, [])
    return [item for item in (value if isinstance(value, list) else [value]) if not isinstance(item, vBroken)]


def _text(component: Component, name: str) -> str:
    return next((str(value).strip() for value in _values(component, name)), "")


def _parameter(value: object, name: str) -> str:
    parameter = getattr(value, "params", {}).get(name, "")
    return str(parameter[0] if isinstance(parameter, list) and parameter else parameter or "")

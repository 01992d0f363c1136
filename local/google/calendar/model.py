"""Everybody's calendars as Google keeps them: one copy of a meeting per guest who has an account here.

The organizer's copy leads: what changes there is carried to the guests' copies, which keep a few fields of their own
(colour, visibility, reminders ...). All copies of a meeting have the same id and iCalUID. A meeting whose organizer has
no account here is led by whichever copy is changed, as if the organizer had sent an update.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from local.google.accounts import Account, Accounts
from local.google.calendar import series
from local.google.calendar.checks import check_times, known_zone
from local.google.calendar.guests import addresses, complete_guests, guests_copy, mark
from local.google.calendar.shapes import ApiEvent, ApiTime, api_time, instance_of, moment_of
from local.google.clock import Now, iso_ms
from local.google.errors import ApiError, ControlError, Json

_SET_BY_GOOGLE = frozenset(
    {"id", "iCalUID", "kind", "etag", "htmlLink", "created", "updated", "creator", "organizer", "sequence"}
    | {"recurringEventId", "originalStartTime"}
)
_ANSWERS = ("needsAction", "declined", "tentative", "accepted")
_ID_LETTERS = "abcdefghijklmnopqrstuv0123456789"


@dataclass(slots=True)
class Row:
    """One event of one calendar: its stored fields, the revision of its last change, and whether a guest removed it."""

    event: ApiEvent
    revision: int
    removed_by_guest: bool = False


@dataclass(slots=True)
class Calendar:
    """One calendar of one person.

    `sync_generation` grows when old sync tokens must die. `omitted` and `cut` are armed faults: ids that the next full
    reading leaves out, and how the next reading breaks off.
    """

    id: str
    owner: str
    summary: str
    time_zone: str
    primary: bool
    rows: dict[str, Row] = field(default_factory=dict)
    sync_generation: int = 0
    omitted: tuple[str, ...] = ()
    cut: Cut | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(slots=True)
class Cut:
    """The next reading ends its first page after `items` events; asking for the page after it fails `times` times."""

    items: int
    status: int = 500
    times: int = 1


class Calendars:
    """The model. `changed(owner, calendar id)` is called once per operation and calendar that it touched."""

    def __init__(
        self, accounts: Accounts, now: Now, chance: random.Random, changed: Callable[[str, str], None]
    ) -> None:
        self.revision = 0
        self.accounts = accounts
        self._now = now
        self._chance = chance
        self._changed = changed
        self._calendars: dict[tuple[str, str], Calendar] = {}
        self._touched: dict[tuple[str, str], None] = {}

    # --- calendars

    def __iter__(self) -> Iterator[Calendar]:
        return iter(self._calendars.values())

    def add_calendar(self, owner: str, summary: str, *, time_zone: str = "UTC", primary: bool = False) -> Calendar:
        """Give a person one more calendar; the primary one has their address as its id."""
        calendar_id = owner if primary else f"c_{_digest(owner, summary)}@group.calendar.google.com"
        if (owner, calendar_id) in self._calendars:
            raise ControlError(f"{owner} has a calendar {summary} already")
        calendar = Calendar(calendar_id, owner, summary, known_zone(time_zone), primary)
        self._calendars[owner, calendar_id] = calendar
        return calendar

    def named_calendar(self, owner: str, summary: str) -> Calendar:
        """A person's calendar of this name, made if it is not there."""
        found = (calendar for calendar in self.calendars_of(owner) if calendar.summary == summary)
        return next(found, None) or self.add_calendar(owner, summary)

    def calendars_of(self, owner: str) -> list[Calendar]:
        """A person's calendars, the primary one first."""
        found = [calendar for calendar in self if calendar.owner == owner]
        return sorted(found, key=lambda calendar: (not calendar.primary, calendar.id))

    def calendar(self, owner: str, calendar_id: str = "primary") -> Calendar:
        """Find one of a person's calendars. Raises: ApiError 404."""
        found = self._calendars.get((owner, owner if calendar_id == "primary" else calendar_id))
        if found is None:
            raise ApiError(404, "notFound", "Not Found", status_name="")
        return found

    def event(self, calendar: Calendar, event_id: str) -> ApiEvent:
        """Find one event as the API shows it, deleted ones included. Raises: ApiError 404."""
        row = calendar.rows.get(event_id)
        if row is None:
            raise ApiError(404, "notFound", "Not Found", status_name="")
        return self.shown(calendar, row)

    # --- what people do

    def seed(self, calendar: Calendar, events: Iterable[ApiEvent]) -> tuple[int, list[str]]:
        """Put events in as they are, for example an export: ids are kept, nobody is invited.

        Returns: how many, and a sentence for each event that Google would refuse.
        """
        count, left_out = 0, list[str]()
        for given in events:
            try:
                event = self._completed(calendar, given)
            except ControlError as refusal:
                left_out.append(f"event {given.get('id', '(without id)')}: {refusal}")
            else:
                self._save(calendar, event, at=given.get("updated"))
                count += 1
        self._announce()
        return count, left_out

    def create(self, calendar: Calendar, fields: Json) -> ApiEvent:
        """Make an event with `start` and `end`, and invite its attendees.

        Raises: ControlError when it has no readable times, or its id is taken.
        """
        event = self._completed(calendar, fields)
        if event["id"] in calendar.rows:
            raise ControlError(f"{calendar.owner} has an event {event['id']} already")
        if event.get("attendees"):
            self._add_organizer_as_guest(calendar, event)
        self._save(calendar, event)
        self._carry(calendar, event, invited_before=frozenset())
        self._announce()
        return self.event(calendar, event["id"])

    def change(
        self, calendar: Calendar, event_id: str, fields: Json, *, original: date | datetime | None = None
    ) -> ApiEvent:
        """Change an event, a whole series, or the one instance that begins by rule at `original`.

        A field with the value None is removed. When the times or the rule of a series change, its exceptions are
        dropped. Guests that stay keep their answers.
        Raises: ControlError when another account here organizes it, or there is no such instance.
        """
        event = self._led_by(calendar, event_id, original)
        before = deepcopy(event)
        for key, value in fields.items():
            if key in _SET_BY_GOOGLE:
                raise ControlError(f"{key} cannot be changed")
            if value is None:
                event.pop(key, None)
            else:
                event[key] = deepcopy(value)
        complete_guests(event, before.get("attendees", ()))
        check_times(event, calendar.time_zone)
        retimed = any(before.get(key) != event.get(key) for key in ("start", "end", "recurrence"))
        if retimed:
            event["sequence"] = event.get("sequence", 0) + 1
        self._save(calendar, event)
        self._carry(calendar, event, invited_before=addresses(before))
        if "recurringEventId" not in event:
            if retimed:
                self._drop_exceptions(calendar, event_id)
            elif "attendees" in fields:
                self._invite_to_exceptions(calendar, event, before)
        self._announce()
        return self.event(calendar, event["id"])

    def move(
        self,
        calendar: Calendar,
        event_id: str,
        start: ApiTime,
        end: ApiTime | None = None,
        *,
        original: date | datetime | None = None,
    ) -> ApiEvent:
        """Give an event, a series or one instance another time; without `end` it stays as long as it was."""
        if end is None:
            event = self._led_by(calendar, event_id, original)
            begin = moment_of(start, calendar.time_zone)
            end = api_time(begin + series.duration(event))
        return self.change(calendar, event_id, {"start": start, "end": end}, original=original)

    def delete(self, calendar: Calendar, event_id: str, *, original: date | datetime | None = None) -> None:
        """Delete an event, a series or one instance. The organizer's deletion cancels it for all; a guest's declines.

        Raises: ControlError when it is not there, or deleted already.
        """
        lead = self._lead(calendar, self._live(calendar, event_id).event)
        if lead is not None and lead is not calendar:
            self._answer(calendar, event_id, "declined", "", original)
            event = self._live(calendar, event_id, original).event
            self._save(calendar, {**event, "status": "cancelled"}, removed_by_guest=True)
        else:
            event = self._led_by(calendar, event_id, original)
            event["status"] = "cancelled"
            event["sequence"] = event.get("sequence", 0) + 1
            self._save(calendar, event)
            self._carry(calendar, event, invited_before=addresses(event))
        if original is None:
            self._drop_exceptions(calendar, event_id)
        self._announce()

    def respond(
        self,
        calendar: Calendar,
        event_id: str,
        answer: str,
        *,
        comment: str = "",
        original: date | datetime | None = None,
    ) -> ApiEvent:
        """Answer an invitation; every copy shows the answer.

        Raises: ControlError when the calendar's owner is no guest, or the answer is none of Google's four.
        """
        self._answer(calendar, event_id, answer, comment, original)
        self._announce()
        return self.event(calendar, self._live(calendar, event_id, original).event["id"])

    def expire_tokens(self, calendar: Calendar) -> None:
        """Make all sync tokens of this calendar invalid: the next use answers 410."""
        calendar.sync_generation += 1

    # --- what the API shows

    def shown(self, calendar: Calendar, row: Row) -> ApiEvent:
        """The whole event as the owner of this copy sees it."""
        event = deepcopy(row.event)
        mine = self._ownaddresses(calendar)
        organizer = event["organizer"]["email"]
        for guest in event.get("attendees", ()):
            mark(guest, "self", guest["email"] in mine)
            mark(guest, "organizer", guest["email"] == organizer)
        for role in ("organizer", "creator"):
            mark(event[role], "self", event[role]["email"] in mine)
        link = f"https://www.google.com/calendar/event?eid={_digest(calendar.id, event['id'])}"
        head = {"kind": "calendar#event", "etag": f'"{row.revision}"', "htmlLink": link}
        defaults = {"reminders": {"useDefault": True}, "eventType": "default"}
        return {**head, **defaults, **event}

    def listed(self, calendar: Calendar, row: Row) -> ApiEvent:
        """What a list says of the row: the event, or of a deleted one no more than Google guarantees."""
        if row.event["status"] != "cancelled":
            return self.shown(calendar, row)
        bare = {"kind": "calendar#event", "etag": f'"{row.revision}"', "id": row.event["id"], "status": "cancelled"}
        named: ApiEvent = {key: row.event[key] for key in ("recurringEventId", "originalStartTime") if key in row.event}
        return {**bare, **named}

    # --- state

    def clear(self) -> None:
        self.revision = 0
        self._calendars.clear()
        self._touched.clear()

    def dump(self) -> Json:
        """Everything but armed faults."""
        kept = [{**asdict(calendar), "omitted": (), "cut": None} for calendar in self]
        return {"revision": self.revision, "calendars": kept}

    def load(self, state: Json) -> None:
        self.clear()
        self.revision = state["revision"]
        for saved in state["calendars"]:
            rows = {event_id: Row(**row) for event_id, row in saved["rows"].items()}
            calendar = Calendar(**{**saved, "rows": rows, "omitted": (), "cut": None})
            self._calendars[calendar.owner, calendar.id] = calendar

    # --- inside

    def _ownaddresses(self, calendar: Calendar) -> set[str]:
        account = self.accounts.find(calendar.owner)
        aliases = {alias.email for alias in account.aliases} if account else set()
        return {calendar.id, calendar.owner} | aliases

    def _account_of(self, address: str) -> Account | None:
        for account in self.accounts:
            if address == account.email or any(alias.email == address for alias in account.aliases):
                return account
        return None

    def _live(self, calendar: Calendar, event_id: str, original: date | datetime | None = None) -> Row:
        """The row of an event that is not deleted; the exception's own row when `original` names one that exists."""
        row = calendar.rows.get(event_id)
        if original is not None:
            row = calendar.rows.get(instance_of(event_id, original)["id"], row)
        if row is None or row.event["status"] == "cancelled":
            raise ControlError(f"{calendar.owner} has no event {event_id}" + (" at that time" if original else ""))
        return row

    def _lead(self, calendar: Calendar, event: ApiEvent) -> Calendar | None:
        """The calendar whose copy leads: the organizer's, or None when no account here organizes it."""
        organizer = event["organizer"]["email"]
        for candidate in self:
            if event["id"] in candidate.rows and organizer in self._ownaddresses(candidate):
                return candidate
        return calendar if organizer in self._ownaddresses(calendar) else None

    def _led_by(self, calendar: Calendar, event_id: str, original: date | datetime | None) -> ApiEvent:
        """A copy to work on, of an event (or instance) that this calendar may change."""
        row = self._live(calendar, event_id)
        lead = self._lead(calendar, row.event)
        if lead is not None and lead is not calendar:
            raise ControlError(f"{event_id} is organized by {lead.owner}; only that account can change it")
        return deepcopy(row.event) if original is None else self._instance(calendar, row.event, original)

    def _instance(self, calendar: Calendar, master: ApiEvent, original: date | datetime) -> ApiEvent:
        if "recurrence" not in master or not series.has_start(master, original):
            raise ControlError(f"{master['id']} has no instance that begins at {original.isoformat()}")
        if isinstance(original, datetime):
            original = original.astimezone(ZoneInfo(master["start"]["timeZone"]))
        named = instance_of(master["id"], original)
        row = calendar.rows.get(named["id"])
        if row is not None:
            if row.event["status"] == "cancelled":
                raise ControlError(f"{named['id']} is cancelled already")
            return deepcopy(row.event)
        event = {key: deepcopy(value) for key, value in master.items() if key != "recurrence"}
        times = {"start": api_time(original), "end": api_time(original + series.duration(master))}
        return {**event, **named, **times}

    def _completed(self, calendar: Calendar, given: ApiEvent) -> ApiEvent:
        """Fill in what Google fills in; what is given stays."""
        event = deepcopy(given)
        for key in ("kind", "etag", "htmlLink"):
            event.pop(key, None)
        now = iso_ms(self._now())
        event.setdefault("id", "".join(self._chance.choices(_ID_LETTERS, k=26)))
        event.setdefault("iCalUID", f"{event['id']}@google.com")
        event.setdefault("status", "confirmed")
        event.setdefault("created", now)
        event.setdefault("sequence", 0)
        event.setdefault("organizer", {"email": calendar.id})
        event.setdefault("creator", {"email": calendar.owner})
        complete_guests(event, ())
        if event["status"] != "cancelled" or "start" in event:
            check_times(event, calendar.time_zone)
        return event

    def _add_organizer_as_guest(self, calendar: Calendar, event: ApiEvent) -> None:
        if event["organizer"]["email"] == calendar.owner and calendar.owner not in addresses(event):
            event["attendees"].insert(0, {"email": calendar.owner, "responseStatus": "accepted"})

    def _answer(
        self, calendar: Calendar, event_id: str, answer: str, comment: str, original: date | datetime | None
    ) -> None:
        if answer not in _ANSWERS:
            raise ControlError(f"an answer is one of {', '.join(_ANSWERS)}")
        mine = self._ownaddresses(calendar)
        master = self._live(calendar, event_id).event
        if original is not None:
            targets = [self._instance(calendar, master, original)]
        else:
            exceptions = [
                row.event for row in self._exceptions(calendar, event_id) if row.event["status"] != "cancelled"
            ]
            targets = [deepcopy(event) for event in (master, *exceptions)]
        for event in targets:
            me = next((guest for guest in event.get("attendees", ()) if guest["email"] in mine), None)
            if me is None:
                raise ControlError(f"{calendar.owner} is no guest of {event_id}")
            me["responseStatus"] = answer
            if comment:
                me["comment"] = comment
            self._save(calendar, event)
            lead = self._lead(calendar, master)
            if lead is None or lead is calendar:
                self._carry(calendar, event, invited_before=addresses(event))
            else:
                led = lead.rows.get(event["id"])
                theirs = guests_copy(event, led.event if led else None)
                theirs["attendees"] = deepcopy(event["attendees"])
                self._save(lead, theirs)
                self._carry(lead, theirs, invited_before=addresses(theirs))

    def _carry(self, lead: Calendar, event: ApiEvent, *, invited_before: frozenset[str]) -> None:
        """Bring the guests' copies up to date with the leading one; who is no longer invited sees it cancelled."""
        owners: set[str] = set()
        for address in addresses(event):
            account = self._account_of(address)
            if account is None or account.email == lead.owner:
                continue
            owners.add(account.email)
            copy = self._copy_holder(account.email, event["id"])
            row = copy.rows.get(event["id"])
            held = copy.rows.get(event.get("recurringEventId", ""), row)
            if address in invited_before and any(kept and kept.removed_by_guest for kept in (row, held)):
                continue
            self._save(copy, guests_copy(event, row.event if row else None))
        for address in invited_before:
            account = self._account_of(address)
            if account is not None and account.email != lead.owner and account.email not in owners:
                copy = self._copy_holder(account.email, event["id"])
                row = copy.rows.get(event["id"])
                if row is not None and row.event["status"] != "cancelled":
                    self._save(copy, {**row.event, "status": "cancelled"})
                    self._drop_exceptions(copy, event["id"], carry=False)

    def _copy_holder(self, owner: str, event_id: str) -> Calendar:
        """The calendar that holds, or is to hold, a person's copy: wherever it is, else the primary one."""
        held = (calendar for calendar in self.calendars_of(owner) if event_id in calendar.rows)
        return next(held, self.calendar(owner))

    def _exceptions(self, calendar: Calendar, series_id: str) -> list[Row]:
        return [row for row in calendar.rows.values() if row.event.get("recurringEventId") == series_id]

    def _drop_exceptions(self, calendar: Calendar, series_id: str, *, carry: bool = True) -> None:
        for row in self._exceptions(calendar, series_id):
            if row.event["status"] != "cancelled":
                event = {**row.event, "status": "cancelled"}
                self._save(calendar, event)
                if carry and self._lead(calendar, event) in (calendar, None):
                    self._carry(calendar, event, invited_before=addresses(event))

    def _invite_to_exceptions(self, calendar: Calendar, master: ApiEvent, before: ApiEvent) -> None:
        """Who joins or leaves a series joins or leaves its changed instances."""
        gone = addresses(before) - addresses(master)
        joined = [guest for guest in master.get("attendees", ()) if guest["email"] not in addresses(before)]
        for row in self._exceptions(calendar, master["id"]):
            event = deepcopy(row.event)
            kept = [guest for guest in event.get("attendees", ()) if guest["email"] not in gone]
            new = [guest for guest in joined if guest["email"] not in addresses(event)]
            event["attendees"] = kept + deepcopy(new)
            self._save(calendar, event)
            self._carry(calendar, event, invited_before=addresses(row.event))

    def _save(
        self, calendar: Calendar, event: ApiEvent, *, at: str | None = None, removed_by_guest: bool = False
    ) -> None:
        self.revision += 1
        event["updated"] = at or iso_ms(self._now())
        calendar.rows[event["id"]] = Row(event, self.revision, removed_by_guest)
        self._touched[calendar.owner, calendar.id] = None

    def _announce(self) -> None:
        touched, self._touched = list(self._touched), {}
        for owner, calendar_id in touched:
            self._changed(owner, calendar_id)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

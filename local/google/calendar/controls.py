"""What the control API can do in calendars: `POST /control/calendar/<action>` with a JSON object.

`email` names the person whose calendar is meant, `calendar` its id if it is not the primary one, `event_id` an event.
`original_start` ({"date"} or {"dateTime", "timeZone"?}) narrows an action to the instance of a series that begins then
by rule. Events, starts and ends are written as in Google's Events resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from local.google.accounts import Account
from local.google.calendar.channels import Channels, MessageFault
from local.google.calendar.checks import known_zone
from local.google.calendar.model import Calendar, Calendars, Cut
from local.google.calendar.shapes import moment_of
from local.google.errors import ControlError, Json
from local.takeout.files import UnreadableFileError
from local.takeout.ics import read_ics

Action = Callable[[Json], Json | None]


def controls_of(model: Calendars, channels: Channels, *, early_sync: Callable[[int], None]) -> Mapping[str, Action]:
    """Return action name -> handler; `early_sync` is told how many watch calls answer after their sync message."""
    return {
        "add-calendar": lambda body: _add_calendar(model, body),
        "seed": lambda body: _seed(model, body),
        "create": lambda body: model.create(_calendar(model, body), _given(body, "event")),
        "change": lambda body: _change(model, body),
        "move": lambda body: _move(model, body),
        "cancel": lambda body: _delete(model, body),
        "delete": lambda body: _delete(model, body),
        "respond": lambda body: _respond(model, body),
        "expire-tokens": lambda body: _expire_tokens(model, body),
        "omit": lambda body: _omit(model, body),
        "cut": lambda body: _cut(model, body),
        "pushes": lambda body: _pushes(channels, body),
        "channels": lambda _body: {"channels": channels.dump()},
        "early-sync": lambda body: early_sync(int(body.get("times", 1))),
    }


def _add_calendar(model: Calendars, body: Json) -> Json:
    """{"email", "summary", "time_zone"?} -> {"id"}: one more calendar for this person."""
    account = _account(model, body)
    return {"id": model.add_calendar(account.email, _text(body, "summary"), time_zone=body.get("time_zone", "UTC")).id}


def _seed(model: Calendars, body: Json) -> Json:
    """Put events in as they are; nobody is invited. {"events": [...], "time_zone"?} go into one calendar, or {"paths"}
    names ics files and folders: the file whose calendar is named like the person, else the first, fills the primary
    calendar, and each other one of its own. -> {"added", "left_out": sentences}.
    """
    if "paths" in body:
        return _seed_files(model, _account(model, body), [Path(path) for path in body["paths"]])
    calendar = _calendar(model, body)
    if "time_zone" in body:
        calendar.time_zone = known_zone(body["time_zone"])
    added, left_out = model.seed(calendar, _given(body, "events"))
    return {"added": added, "left_out": left_out}


def _seed_files(model: Calendars, account: Account, paths: list[Path]) -> Json:
    own, left_out = [account.email, *(alias.email for alias in account.aliases)], list[str]()
    primary = model.calendar(account.email)
    try:
        files = list(read_ics(paths, own_addresses=own, default_zone=primary.zone, report=left_out.append))
    except UnreadableFileError as unreadable:
        raise ControlError(str(unreadable)) from unreadable
    files.sort(key=lambda exported: exported.name.lower() != account.email)
    added = 0
    for position, exported in enumerate(files):
        calendar = primary if position == 0 else model.named_calendar(account.email, exported.name)
        calendar.time_zone = exported.time_zone
        count, refused = model.seed(calendar, exported.events)
        added += count
        left_out += refused
    return {"added": added, "left_out": left_out}


def _change(model: Calendars, body: Json) -> Json:
    """{"fields": {name: value, or null to remove it}} -> the event. Only its organizer's account may."""
    calendar, event_id, original = _aim(model, body)
    return model.change(calendar, event_id, _given(body, "fields"), original=original)


def _move(model: Calendars, body: Json) -> Json:
    """{"start", "end"?} -> the event; without end it stays as long as it was. Only its organizer's account may."""
    calendar, event_id, original = _aim(model, body)
    return model.move(calendar, event_id, _given(body, "start"), body.get("end"), original=original)


def _delete(model: Calendars, body: Json) -> None:
    """The organizer cancels for everybody; a guest declines, and the event leaves the guest's calendar."""
    calendar, event_id, original = _aim(model, body)
    model.delete(calendar, event_id, original=original)


def _respond(model: Calendars, body: Json) -> Json:
    """{"answer": needsAction | declined | tentative | accepted, "comment"?} -> the event as the guest sees it."""
    calendar, event_id, original = _aim(model, body)
    comment = str(body.get("comment", ""))
    return model.respond(calendar, event_id, _text(body, "answer"), comment=comment, original=original)


def _expire_tokens(model: Calendars, body: Json) -> None:
    """All sync tokens of one calendar die; without "email" those of everybody."""
    for calendar in [_calendar(model, body)] if "email" in body else list(model):
        model.expire_tokens(calendar)


def _omit(model: Calendars, body: Json) -> None:
    """{"ids"}: the next full reading of the calendar silently lacks these events."""
    _calendar(model, body).omitted = tuple(_given(body, "ids"))


def _cut(model: Calendars, body: Json) -> None:
    """{"items", "status"?, "times"?}: the next reading gives a page of so many events, then fails on the next page."""
    items, status, times = _given(body, "items"), body.get("status", 500), body.get("times", 1)
    _calendar(model, body).cut = Cut(int(items), int(status), int(times))


def _pushes(channels: Channels, body: Json) -> Json:
    """{"next": drop | duplicate | delay, "times"?, "delay_s"?} for the coming notifications, or {} -> what became of
    the last 500 messages: channel, number, state, outcome."""
    if "next" in body:
        channels.arm(MessageFault(_text(body, "next"), int(body.get("times", 1)), float(body.get("delay_s", 0))))
    return {"messages": list(channels.log)}


def _account(model: Calendars, body: Json) -> Account:
    account = model.accounts.find(_text(body, "email"))
    if account is None:
        raise ControlError(f"{body['email']} has no calendar")
    return account


def _calendar(model: Calendars, body: Json) -> Calendar:
    return model.calendar(_account(model, body).email, str(body.get("calendar", "primary")))


def _aim(model: Calendars, body: Json) -> tuple[Calendar, str, date | datetime | None]:
    calendar = _calendar(model, body)
    original = body.get("original_start")
    try:
        moment = None if original is None else moment_of(original, calendar.time_zone)
    except (KeyError, ValueError, TypeError, OSError) as problem:
        raise ControlError('original_start is {"date"} or {"dateTime", "timeZone"?}') from problem
    return calendar, _text(body, "event_id"), moment


def _given(body: Json, name: str) -> Any:
    if name not in body:
        raise ControlError(f"{name} is missing")
    return body[name]


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} is missing")
    return value

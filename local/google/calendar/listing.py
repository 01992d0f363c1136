"""events.list: whole readings in pages, then only what changed.

Source: calendar v3 events.list. Stricter than Google where Google calls it undefined: an incremental reading whose
other parameters differ from the first call's is refused. The window of a first reading (timeMin, timeMax) stays in its
sync token; a changed event outside it is told as deleted, so that a client never keeps an event that left the window.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from local.google.calendar import series
from local.google.calendar.model import Calendar, Calendars, Row
from local.google.calendar.shapes import ApiEvent
from local.google.calendar.tokens import PageToken, SyncToken
from local.google.errors import ApiError, Json, not_simulated
from local.google.service import Call

_DEFAULT_PAGE, _LARGEST_PAGE = 250, 2500
_WINDOW = ("timeMin", "timeMax")
_FIXED = ("singleEvents", "showDeleted", "eventTypes", "alwaysIncludeEmail")
_FILTERS = ("iCalUID", "privateExtendedProperty")
_NEVER_WITH_SYNC_TOKEN = (
    *("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty"),
    *("timeMin", "timeMax", "updatedMin"),
)
_NOT_SIMULATED = (
    "q",
    "orderBy",
    "sharedExtendedProperty",
    "updatedMin",
    "timeZone",
    "maxAttendees",
    "showHiddenInvitations",
)


def list_events(model: Calendars, calendar: Calendar, call: Call) -> Json:
    """Answer one events.list call. Raises: ApiError as Google does, 501 for parameters the product does not use."""
    if call.texts("syncToken"):
        _refuse_forbidden(call)
    for name in _NOT_SIMULATED:
        if name in call.parameters:
            raise not_simulated(f"events.list with {name}")
    if call.flag("singleEvents"):
        raise not_simulated("events.list with singleEvents=true")
    page = _continued(calendar, call) if call.texts("pageToken") else _begun(model, calendar, call)
    if page.breaks and calendar.cut is not None:
        status, calendar.cut.times = calendar.cut.status, calendar.cut.times - 1
        if calendar.cut.times <= 0:
            calendar.cut = None
        raise ApiError(status, "backendError", "Backend Error")
    return _answer(model, calendar, call, page)


def _begun(model: Calendars, calendar: Calendar, call: Call) -> PageToken:
    """The first page's place in a reading that has just begun."""
    parameters = {name: call.texts(name) for name in (*_FIXED, *_FILTERS) if name in call.parameters}
    window = {name: call.text(name) for name in _WINDOW if name in call.parameters}
    since, omitted = None, calendar.omitted
    if call.texts("syncToken"):
        token = SyncToken.read(call.text("syncToken"))
        if token.calendar != calendar.id:
            _refuse("Invalid sync token value.", "syncToken")
        _refuse_expired(calendar, token.generation, known=token.revision <= model.revision)
        if token.parameters != parameters:
            _refuse("The sync token was made by a request with other parameters.", "syncToken")
        since, window, omitted = token.revision, token.window, ()
    else:
        calendar.omitted = ()
    return PageToken(
        calendar.id, calendar.sync_generation, model.revision, since, "", parameters, window, omitted, breaks=False
    )


def _continued(calendar: Calendar, call: Call) -> PageToken:
    page = PageToken.read(call.text("pageToken"))
    parameters = {name: call.texts(name) for name in (*_FIXED, *_FILTERS) if name in call.parameters}
    window = {name: call.text(name) for name in _WINDOW if name in call.parameters}
    wanted_window = {} if page.since is not None else page.window
    if page.calendar != calendar.id or (page.since is None) == bool(call.texts("syncToken")):
        _refuse("Invalid page token value.", "pageToken")
    if (page.parameters, wanted_window) != (parameters, window):
        _refuse("The page token was made by a request with other parameters.", "pageToken")
    if page.since is not None:
        _refuse_expired(calendar, page.generation, known=True)
    return page


def _answer(model: Calendars, calendar: Calendar, call: Call, page: PageToken) -> Json:
    size = max(1, min(call.number("maxResults", _DEFAULT_PAGE), _LARGEST_PAGE))
    cut = calendar.cut if not page.after else None
    if cut is not None:
        size = cut.items
    rows = sorted(_rows(calendar, page), key=lambda row: str(row.event["id"]))
    rest = [row for row in rows if row.event["id"] > page.after]
    shown, more = rest[:size], len(rest) > size or cut is not None
    answer: Json = {
        "kind": "calendar#events",
        "etag": f'"{model.revision}"',
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "accessRole": "owner",
        "defaultReminders": [{"method": "popup", "minutes": 10}],
        "items": [_item(model, calendar, row, page) for row in shown],
    }
    if rows:
        answer["updated"] = max(row.event["updated"] for row in rows)
    if more:
        after = shown[-1].event["id"] if shown else page.after
        following = PageToken(
            page.calendar,
            page.generation,
            page.revision,
            page.since,
            after,
            page.parameters,
            page.window,
            tuple(page.omitted),
            breaks=cut is not None,
        )
        answer["nextPageToken"] = following.text()
    elif not any(name in page.parameters for name in _FILTERS):
        token = SyncToken(page.calendar, page.generation, page.revision, page.parameters, page.window)
        answer["nextSyncToken"] = token.text()
    return answer


def _rows(calendar: Calendar, page: PageToken) -> list[Row]:
    if page.since is not None:
        changed = (row for row in calendar.rows.values() if page.since < row.revision <= page.revision)
        return [row for row in changed if _of_wanted_type(row.event, page)]
    show_deleted = page.parameters.get("showDeleted") == ["true"]
    return [
        row
        for row in calendar.rows.values()
        if row.event["id"] not in page.omitted
        and (show_deleted or not _deleted(calendar, row.event))
        and _fits(calendar, row.event, page)
    ]


def _deleted(calendar: Calendar, event: ApiEvent) -> bool:
    """Cancelled, unless it is the missing instance of a series that still lives: that one is always listed."""
    if event["status"] != "cancelled":
        return False
    master = calendar.rows.get(event.get("recurringEventId", ""))
    return master is None or master.event["status"] == "cancelled"


def _fits(calendar: Calendar, event: ApiEvent, page: PageToken) -> bool:
    if not _of_wanted_type(event, page):
        return False
    if "iCalUID" in page.parameters and event["iCalUID"] not in page.parameters["iCalUID"]:
        return False
    private = event.get("extendedProperties", {}).get("private", {})
    for wanted in page.parameters.get("privateExtendedProperty", ()):
        name, _, value = wanted.partition("=")
        if private.get(name) != value:
            return False
    return _in_window(calendar, event, page.window)


def _of_wanted_type(event: ApiEvent, page: PageToken) -> bool:
    return event.get("eventType", "default") in page.parameters.get("eventTypes", [event.get("eventType", "default")])


def _in_window(calendar: Calendar, event: ApiEvent, window: Json) -> bool:
    if not window or "start" not in event:
        return True
    after, before = (
        datetime.fromisoformat(window[name]).astimezone(UTC) if name in window else None for name in _WINDOW
    )
    return series.overlaps(event, calendar.zone, after=after, before=before)


def _item(model: Calendars, calendar: Calendar, row: Row, page: PageToken) -> ApiEvent:
    if page.since is not None and not _in_window(calendar, row.event, page.window):
        row = Row({**row.event, "status": "cancelled"}, row.revision)
    return model.listed(calendar, row)


def _refuse_forbidden(call: Call) -> None:
    for name in _NEVER_WITH_SYNC_TOKEN:
        if name in call.parameters:
            _refuse(f"The sync token cannot be used together with the parameter {name}.", name)
    if call.texts("showDeleted") == ["false"]:
        _refuse("showDeleted must not be false when a sync token is used.", "showDeleted")


def _refuse_expired(calendar: Calendar, generation: int, *, known: bool) -> None:
    """Refuse tokens of an earlier generation, and those from a state that was reset since."""
    if generation != calendar.sync_generation or not known:
        raise ApiError(
            410,
            "fullSyncRequired",
            "Sync token is no longer valid, a full sync is required.",
            domain="calendar",
            location=("parameter", "syncToken"),
            status_name="",
        )


def _refuse(message: str, parameter: str) -> NoReturn:
    raise ApiError(400, "invalid", message, location=("parameter", parameter), status_name="")

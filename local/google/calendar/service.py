"""The Calendar API v3 of the simulator: the calls that the product makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from local.google.accounts import Account
from local.google.calendar.channels import Channels, Message
from local.google.calendar.controls import controls_of
from local.google.calendar.listing import list_events
from local.google.calendar.model import Calendar, Calendars
from local.google.calendar.sender import HttpSender
from local.google.errors import ApiError, Json, not_simulated
from local.google.quota import QuotaPolicy
from local.google.service import Call, Context, Table

_CALLS = (
    "calendar.calendarList.list",
    "calendar.calendars.get",
    "calendar.events.list",
    "calendar.events.get",
    "calendar.events.watch",
    "calendar.channels.stop",
)
_EARLY_SYNC_WAIT_S = 3.0


class Sender(Protocol):
    """Carries messages to their receivers; see `HttpSender`."""

    def send(self, message: Message) -> None: ...
    def answers(self) -> list[tuple[Message, int | None]]: ...
    def wait(self, message: Message, timeout_s: float) -> None: ...


def build(context: Context) -> CalendarService:
    """Build the service as the shell does."""
    return CalendarService(context, HttpSender())


class CalendarService:
    """Calendar v3. See `Service` for what the shell asks of it."""

    name = "calendar"
    version = "v3"

    def __init__(self, context: Context, sender: Sender) -> None:
        self.channels = Channels(context.now, context.chance)
        self.model = Calendars(context.accounts, context.now, context.chance, self.channels.changed)
        self.quota = QuotaPolicy(
            units_per_minute=context.settings.calendar_calls_per_minute,
            prices=dict.fromkeys(_CALLS, 1),
            refusal=lambda _retry_at, _refusals: ApiError(
                403, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits", status_name=""
            ),
        )
        self._sender = sender
        self._early_syncs = 0
        self.calls: Mapping[str, Callable[[Call], Json | None]] = {
            "calendar.calendarList.list": self._calendar_list,
            "calendar.calendars.get": self._calendar,
            "calendar.events.list": self._events,
            "calendar.events.get": self._event,
            "calendar.events.watch": self._watch,
            "calendar.channels.stop": self._stop,
        }
        self.controls: Mapping[str, Callable[[Json], Json | None]] = {
            name: self._then_send(action)
            for name, action in controls_of(self.model, self.channels, early_sync=self._answer_late).items()
        }

    def open_account(self, account: Account) -> None:
        self.model.add_calendar(account.email, account.email, primary=True)

    def tick(self) -> None:
        for message, status in self._sender.answers():
            self.channels.settle(message, status)
        for message in self.channels.due():
            self._sender.send(message)

    def tables(self) -> Sequence[Table]:
        calendars = [
            (calendar.owner, calendar.summary, calendar.time_zone, len(calendar.rows), calendar.sync_generation)
            for calendar in self.model
        ]
        channels = [(c.owner, c.calendar_id, c.id, c.number, c.address) for c in self.channels]
        return (
            Table("Calendars", ("owner", "calendar", "time zone", "events", "token generation"), calendars),
            Table("Calendar channels", ("owner", "calendar", "channel", "last message", "address"), channels),
        )

    def dump(self) -> Json:
        return {"model": self.model.dump(), "channels": self.channels.dump()}

    def load(self, state: Json) -> None:
        self.model.load(state["model"])
        self.channels.load(state["channels"])

    def reset(self) -> None:
        self.model.clear()
        self.channels.clear()
        self._early_syncs = 0

    # --- calls

    def _calendar_list(self, call: Call) -> Json:
        for name in ("syncToken", "pageToken", "showDeleted", "minAccessRole"):
            if name in call.parameters:
                raise not_simulated(f"calendarList.list with {name}")
        items = [_entry(calendar) for calendar in self.model.calendars_of(call.account.email)]
        return {"kind": "calendar#calendarList", "etag": f'"{len(items)}"', "items": items}

    def _calendar(self, call: Call) -> Json:
        calendar = self._of_caller(call)
        return {
            "kind": "calendar#calendar",
            "etag": f'"{calendar.sync_generation}"',
            "id": calendar.id,
            "summary": calendar.summary,
            "timeZone": calendar.time_zone,
        }

    def _events(self, call: Call) -> Json:
        return list_events(self.model, self._of_caller(call), call)

    def _event(self, call: Call) -> Json:
        for name in ("timeZone", "maxAttendees"):
            if name in call.parameters:
                raise not_simulated(f"events.get with {name}")
        return self.model.event(self._of_caller(call), call.text("eventId"))

    def _watch(self, call: Call) -> Json:
        calendar = self._of_caller(call)
        answer, sync = self.channels.watch(call.account.email, calendar.id, call.body)
        self.tick()
        if self._early_syncs:
            self._early_syncs -= 1
            self._sender.wait(sync, _EARLY_SYNC_WAIT_S)
        return answer

    def _stop(self, call: Call) -> None:
        self.channels.stop(call.account.email, str(call.body.get("id", "")), str(call.body.get("resourceId", "")))

    def _of_caller(self, call: Call) -> Calendar:
        return self.model.calendar(call.account.email, call.text("calendarId"))

    def _answer_late(self, times: int) -> None:
        self._early_syncs = times

    def _then_send(self, action: Callable[[Json], Json | None]) -> Callable[[Json], Json | None]:
        """Notifications that an action caused leave at once, not with the next tick."""

        def act(body: Json) -> Json | None:
            answer = action(body)
            self.tick()
            return answer

        return act


def _entry(calendar: Calendar) -> Json:
    entry: Json = {
        "kind": "calendar#calendarListEntry",
        "etag": f'"{calendar.sync_generation}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": True,
        "accessRole": "owner",
        "defaultReminders": [{"method": "popup", "minutes": 10}],
    }
    if calendar.primary:
        entry["primary"] = True
    return entry

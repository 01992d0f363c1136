"""A Calendar service without sockets: three people, a clock that stands still, and a receiver that answers as told."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.google.accounts import Accounts
from local.google.calendar.channels import Message
from local.google.calendar.service import CalendarService
from local.google.discovery import load_document
from local.google.errors import Json
from local.google.service import Call, Context, Settings

ADA, BOB, CLEO = "ada@example.com", "bob@example.com", "cleo@example.com"


@dataclass
class Receiver:
    """Stands in for the network: tries each message at once, and answers the statuses it was given, then 200."""

    statuses: list[int | None] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    _answers: list[tuple[Message, int | None]] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.received.append(message)
        self._answers.append((message, self.statuses.pop(0) if self.statuses else 200))

    def answers(self) -> list[tuple[Message, int | None]]:
        answers, self._answers = self._answers, []
        return answers

    def wait(self, message: Message, timeout_s: float) -> None:
        assert message in self.received


class World:
    """Calls and controls as the shell makes them; every answer is checked against Google's discovery document."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.accounts = Accounts()
        self.receiver = Receiver()
        context = Context(Settings(folder), lambda: self.now, self.accounts, lambda *_: None, random.Random(7))
        self.service = CalendarService(context, self.receiver)
        self._document = load_document("calendar", "v3")
        for email in (ADA, BOB, CLEO):
            self.service.open_account(self.accounts.create({"email": email, "aliases": [f"team.{email}"]}))

    def call(self, method: str, user: str = ADA, *, body: Json | None = None, **parameters: Any) -> Json:
        """Make one API call; parameters may be text, flags, numbers or lists."""
        texts = {name: _texts(value) for name, value in parameters.items()}
        account = self.accounts.get(user)
        call = Call(f"calendar.{method}", account, frozenset(), texts, body or {}, self.now)
        answer = self.service.calls[call.method](call)
        violations = self._document.response_violations(self._document.methods[call.method], answer)
        assert violations == [], violations
        return answer or {}

    def control(self, action: str, **body: Any) -> Json:
        return self.service.controls[action](body) or {}

    def wait(self, **span: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += timedelta(**span)
        self.service.tick()
        self.service.tick()

    def meeting(self, *guests: str, by: str = ADA, **fields: Any) -> Json:
        """Ada (or another) makes an event on 2 March, 10:00 to 11:00 in Oslo."""
        event = {"summary": "Meeting", "start": oslo(2, 10), "end": oslo(2, 11), **fields}
        if guests:
            event["attendees"] = [{"email": guest} for guest in guests]
        return self.control("create", email=by, event=event)

    def weekly(self, *guests: str, **fields: Any) -> Json:
        """A series on Mondays, 2 March to 27 April."""
        return self.meeting(*guests, recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20260427T080000Z;BYDAY=MO"], **fields)

    def read(self, user: str = ADA, *, calendar: str = "primary", **parameters: Any) -> tuple[list[Json], str]:
        """Read to the last page; return all items and the sync token."""
        items: list[Json] = []
        answer: Json = {}
        while not items or "nextPageToken" in answer:
            page = {"pageToken": answer["nextPageToken"]} if "nextPageToken" in answer else {}
            answer = self.call("events.list", user, calendarId=calendar, **parameters, **page)
            items += answer["items"]
            if "nextPageToken" not in answer:
                break
        return items, answer.get("nextSyncToken", "")

    def get(self, event_id: str, user: str = ADA) -> Json:
        return self.call("events.get", user, calendarId="primary", eventId=event_id)


def oslo(day: int, hour: int, month: int = 3) -> Json:
    """A time in Oslo in 2026; summer time begins on 29 March."""
    offset = "+01:00" if (month, day) < (3, 29) else "+02:00"
    return {"dateTime": f"2026-{month:02}-{day:02}T{hour:02}:00:00{offset}", "timeZone": "Europe/Oslo"}


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [str(value).lower() if isinstance(value, bool) else str(value)]

"""Reads scene.yaml: what people do after the import, as calls to the simulator's control API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from local.google.calendar.shapes import api_time
from local.sample.letters import Letter, arrived, letter_bytes
from local.sample.meetings import Meetings, by_id, event_id
from local.sample.model import ControlCall, Expected, SceneStep
from local.sample.moments import day_from
from local.sample.people import Cast, Row
from local.sample.stories import letter_of, outcome_of


@dataclass(slots=True)
class SceneReader:
    """imported: what lies in the mailboxes already, for steps that move such a mail."""

    cast: Cast
    now: datetime
    meetings: Meetings
    imported: Mapping[tuple[str, str], Expected]
    _told: dict[str, Letter] = field(default_factory=dict)

    def step(self, row: Row) -> SceneStep:
        """Raises: ValueError for a step of a kind nobody knows."""
        readers = {
            "arrives": self._arrives,
            "sends": self._sends,
            "books": self._books,
            "moves": self._moves,
            "cancels": self._cancels,
            "trashes": self._relabels,
            "unspams": self._relabels,
        }
        if row["does"] not in readers:
            raise ValueError(f"the scene has a step that {row['does']}")
        calls, message_id, event = readers[row["does"]](row)
        expect = row.get("expect", {})
        return SceneStep(
            name=row["step"],
            calls=calls,
            message_id=message_id,
            event_id=event,
            outcomes={self._email(user): outcome_of(row["step"], expect, user)[0] for user in expect},
            contacts=self.cast.emails(row["contacts"]),
        )

    def _arrives(self, row: Row) -> _Read:
        letter = self._told[row["copy_of"]] if "copy_of" in row else self._letter(row["mail"])
        raw = letter_bytes(letter, with_bcc=False)
        calls = []
        for user in row["at"]:
            copy = base64.b64encode(arrived(raw, self._email(user), self.now)).decode()
            calls.append(ControlCall("gmail", "deliver", {"email": self._email(user), "raw_base64": copy}))
        return tuple(calls), letter.message_id, None

    def _sends(self, row: Row) -> _Read:
        letter = self._letter(row["mail"])
        body = {
            "email": letter.sender.email,
            "from": letter.sender.address,
            "to": [person.address for person in letter.to],
            "subject": letter.subject,
            "text": letter.text,
            "message_id": f"<{letter.message_id}>",
            "in_reply_to": f"<{letter.references[-1]}>",
            "references": [f"<{reference}>" for reference in letter.references],
        }
        return (ControlCall("gmail", "send", body),), letter.message_id, None

    def _books(self, row: Row) -> _Read:
        event = self.meetings.event(row["event"])
        organizer = self._email(row["event"]["organizer"])
        return (ControlCall("calendar", "create", {"email": organizer, "event": event}),), None, event["id"]

    def _moves(self, row: Row) -> _Read:
        clock = time.fromisoformat(row["time"])
        start = datetime.combine(day_from(row["day"], self.now), clock, ZoneInfo(row["zone"]))
        event = event_id(row["event_id"])
        body = {"email": self._email(row["organizer"]), "event_id": event, "start": api_time(start)}
        return (ControlCall("calendar", "move", body),), None, event

    def _cancels(self, row: Row) -> _Read:
        series = by_id(self.meetings.rows)[row["event_id"]]
        event = event_id(row["event_id"])
        original = api_time(self.meetings.next_instance(series))
        body = {"email": self._email(row["organizer"]), "event_id": event, "original_start": original}
        return (ControlCall("calendar", "cancel", body),), None, event

    def _relabels(self, row: Row) -> _Read:
        [user] = row["at"]
        email = self._email(user)
        message_id = self.imported[email, row["message"]].message_id
        action = "trash" if row["does"] == "trashes" else "unspam"
        return (ControlCall("gmail", action, {"email": email}, message_id),), message_id, None

    def _letter(self, row: Row) -> Letter:
        thread = {"thread": "scene", "subject": row["subject"]}
        letter = letter_of({"answers": "none", **row}, thread, row["id"], self._told, self.cast, self.now)
        self._told[row["id"]] = letter
        return letter

    def _email(self, user: str) -> str:
        return self.cast.users[user].email


_Read = tuple[tuple[ControlCall, ...], str | None, str | None]

"""Loads the sample company for a moment: `load_sample(now)`. The texts beside this file are there to be edited."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from local.google.gmail.seed import SeedMessage
from local.sample.meetings import Meetings
from local.sample.model import Sample
from local.sample.people import Row, read_cast
from local.sample.scenes import SceneReader
from local.sample.stories import Copy, Stories

FOLDER = Path(__file__).parent


def load_sample(now: datetime, folder: Path = FOLDER) -> Sample:
    """The sample with its times around `now` (aware): six months of mail before it, meetings on both sides.

    Raises: ValueError, KeyError where a text was edited into something that cannot be read; the message names it.
    """
    cast = read_cast(_read(folder / "company.yaml"))
    meetings = Meetings(_read(folder / "events.yaml"), cast, now)
    invitations = {row["id"]: meetings.invitation(row) for row in meetings.rows if _can_be_mailed(row)}
    copies = sorted(Stories(cast, folder / "mail", now, invitations).copies(), key=_arrival)
    imported = {(copy.expected.mailbox, copy.expected.key): copy.expected for copy in copies}
    scene = SceneReader(cast, now, meetings, imported)
    return Sample(
        company=cast.company,
        users=tuple(cast.users.values()),
        mailboxes=_mailboxes(copies, [user.email for user in cast.users.values()]),
        contacts_csv=(folder / "contacts.csv").read_bytes(),
        contacts_by_hand=cast.contacts_by_hand,
        events=meetings.calendars(),
        expected=tuple(copy.expected for copy in copies),
        expected_meetings=tuple(meetings.expected()),
        scene=tuple(scene.step(row) for row in _read(folder / "scene.yaml")),
    )


def _mailboxes(copies: Iterable[Copy], addresses: Iterable[str]) -> dict[str, list[SeedMessage]]:
    mailboxes: dict[str, list[SeedMessage]] = {address: [] for address in addresses}
    for copy in copies:
        mailboxes[copy.expected.mailbox].append(copy.seed)
    return mailboxes


def _arrival(copy: Copy) -> tuple[str, datetime]:
    return copy.expected.mailbox, copy.expected.received_at


def _can_be_mailed(row: Row) -> bool:
    return "time" in row and "guests" in row


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))

"""What the sample company consists of, as data: people, mailboxes, meetings, a live scene, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.google.gmail.seed import SeedMessage
from shared.domain.ledger import Rule
from shared.domain.people import Contact, Role, User
from shared.domain.settings import MailOptions, NeverLog

ApiEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SampleUser:
    """One of us. aliases: send-as addresses at Google. manages: ids of the users of the teams this one manages."""

    user_id: str
    name: str
    email: str
    aliases: tuple[str, ...]
    role: Role
    manages: frozenset[str]
    zone: str
    options: MailOptions

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.email, *self.aliases)

    @property
    def record(self) -> User:
        return User(self.user_id, self.name, self.email, self.role, managed=self.manages)


@dataclass(frozen=True, slots=True)
class Company:
    """The organization's settings that differ from their defaults."""

    name: str
    internal_domains: frozenset[str]
    group_addresses: frozenset[str]
    never_log: NeverLog


class Outcome(StrEnum):
    """What becomes of one mailbox's copy of a message."""

    LOGGED = "logged"
    OWN_RECORD = "own_record"
    LEFT_OUT = "left_out"
    UNLISTED = "unlisted"
    """Gmail's list of the window does not name it (spam, trash, older): the ledger has no row."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What becomes of one copy once everything is imported.

    key: "thread/message" of the stories. (mailbox, received_at) names the copy for certain, since no two messages of
    a mailbox arrive in one second. message_id: without brackets, None where it has none. rule: of what is left out.
    contacts: preferred addresses of the contacts on whose timelines the message stands. shows: the hard cases in it.
    """

    key: str
    mailbox: str
    received_at: datetime
    message_id: str | None
    subject: str
    outcome: Outcome
    rule: Rule | None
    contacts: tuple[str, ...]
    shows: tuple[str, ...]


class MeetingOutcome(StrEnum):
    """What becomes of one calendar's copy of an event."""

    LOGGED = "logged"
    BUSY = "private"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class ExpectedMeeting:
    """As `Expected`, for an event or a series; event_id: the id at Google."""

    key: str
    mailbox: str
    event_id: str
    outcome: MeetingOutcome
    rule: Rule | None
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One call to the simulator's control API: POST /control/<service>/<action> with `body`.

    message_id: where set, the body still needs "id", Gmail's id of that Message-ID in the mailbox body["email"].
    """

    service: str
    action: str
    body: Mapping[str, Any]
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class SceneStep:
    """One thing that people do after the import, and where it shows.

    message_id, event_id: what to look for. outcomes: mailbox to what becomes of its copy; empty for meetings and for
    what goes away. contacts: preferred addresses of the contacts whose timelines change.
    """

    name: str
    calls: tuple[ControlCall, ...]
    message_id: str | None
    event_id: str | None
    outcomes: Mapping[str, Outcome]
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything, with times around the moment it was loaded for.

    mailboxes, events: by the user's primary address. mailboxes are in order of arrival, and `expected` lists the copies
    of each mailbox in that same order. contacts_by_hand are saved after the import of `contacts_csv`.
    """

    company: Company
    users: tuple[SampleUser, ...]
    mailboxes: Mapping[str, list[SeedMessage]]
    contacts_csv: bytes
    contacts_by_hand: tuple[Contact, ...]
    events: Mapping[str, list[ApiEvent]]
    expected: tuple[Expected, ...]
    expected_meetings: tuple[ExpectedMeeting, ...]
    scene: tuple[SceneStep, ...]

    @property
    def never_log(self) -> NeverLog:
        """The organization's list; personal ones are in each user's options."""
        return self.company.never_log

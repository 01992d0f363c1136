"""Step 4: things happen at Google, and each is waited for where it must show, by reading the row with its id."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from local.google.calendar.shapes import moment_of
from local.run.cast import Cast, Member
from local.run.screen import Screen
from local.run.waiting import NotSeenError, until
from local.sample.model import ControlCall, Outcome, SceneStep
from shared.domain.calendar.event import start_key
from shared.domain.message import LoggedMessage

LANDS_WITHIN_S = 30.0
PEOPLE_PAUSE_S = 1.2
"""Gmail tells of at most one change a second and mailbox. Nobody answers faster than that, and this scene does not."""

Landed = Callable[[], bool]


@dataclass(slots=True)
class Played:
    """One step as it was seen. latency_s: from the change at Google to the row that a get by id reads."""

    name: str
    latency_s: float


def play(cast: Cast, steps: Iterable[SceneStep], screen: Screen) -> list[Played]:
    """Play all steps, each after the one before has landed.

    Raises: NotSeenError naming the steps that were not seen; the others are played all the same.
    """
    played: list[Played] = []
    missed: list[str] = []
    for step in steps:
        time.sleep(PEOPLE_PAUSE_S)
        try:
            latency_s = _play(cast, step)
        except NotSeenError as missing:
            screen.failed(str(missing))
            missed.append(step.name)
            continue
        played.append(Played(step.name, latency_s))
        screen.done(f"{step.name[0].upper()}{step.name[1:]:<43}{latency_s * 1000:5.0f} ms", _where(cast, step))
    if missed:
        raise NotSeenError(", ".join(missed))
    if played:
        latencies = [one.latency_s * 1000 for one in played]
        screen.line(
            f'From "changed at Google" to "a get by id reads it": median {median(latencies):.0f} ms, '
            f"longest {max(latencies):.0f} ms."
        )
    return played


def only_mail(steps: Iterable[SceneStep]) -> list[SceneStep]:
    return [step for step in steps if all(call.service == "gmail" for call in step.calls)]


def _play(cast: Cast, step: SceneStep) -> float:
    calls = [(call, _body(cast, call)) for call in step.calls]
    landed = [one for call, body in calls for one in _landings(cast, step, call, body)]
    if all(there() for there in landed):
        raise NotSeenError(f'"{step.name}" (it showed before it happened, so nothing can be told)')
    began = time.monotonic()
    for call, body in calls:
        cast.google.act(call.service, call.action, body)
    until(lambda: all(there() for there in landed), f'"{step.name}"', within_s=LANDS_WITHIN_S)
    return time.monotonic() - began


def _body(cast: Cast, call: ControlCall) -> dict[str, object]:
    """A call about an imported mail needs Gmail's id of it."""
    if call.message_id is None:
        return dict(call.body)
    held = cast.google.mailbox(call.body["email"])
    found = [one.gmail_id for one in held if one.rfc822_id == call.message_id]
    if not found:
        raise NotSeenError(f"the message that {call.action} is about")
    return {**call.body, "id": found[0]}


def _landings(cast: Cast, step: SceneStep, call: ControlCall, body: Mapping[str, object]) -> list[Landed]:
    """What must be readable once this call's change has arrived."""
    email = str(body["email"])
    member = next(one for one in cast.members if one.email == email)
    if call.service == "calendar":
        return [_meeting_landing(cast, call, body, f"{step.event_id}@google.com")]
    message_id = str(step.message_id)
    if call.action == "trash":
        return [lambda: not _reads(cast.rows.message(message_id), member)]
    if step.outcomes[email] is Outcome.OWN_RECORD:
        return [lambda: cast.rows.own_message(member.user_id, message_id) is not None]
    contact_ids = [_contact_id(cast, address) for address in step.contacts]
    return [lambda: _on_timelines(cast, cast.rows.message(message_id), member, contact_ids)]


def _meeting_landing(cast: Cast, call: ControlCall, body: Mapping[str, object], ical_uid: str) -> Landed:
    rows = cast.rows
    if call.action == "create":
        return lambda: rows.meeting(ical_uid) is not None
    if call.action == "move":
        start_at = _moment(body["start"])

        def moved() -> bool:
            meeting = rows.meeting(ical_uid)
            return meeting is not None and meeting.start_at == start_at

        return moved
    original = start_key(_moment(body["original_start"]))
    return lambda: rows.meeting(ical_uid, original) is None


def _reads(message: LoggedMessage | None, member: Member) -> bool:
    """Whether this member's mailbox holds the message."""
    return message is not None and any(reader.startswith(f"{member.user_id}:") for reader in message.readers)


def _on_timelines(cast: Cast, message: LoggedMessage | None, member: Member, contact_ids: list[str]) -> bool:
    if message is None or not _reads(message, member):
        return False
    entries = [cast.rows.entry(contact_id, message.thread_id) for contact_id in contact_ids]
    return all(entry is not None and message.message_id in entry.messages for entry in entries)


def _contact_id(cast: Cast, address: str) -> str:
    return next(one.contact.contact_id for one in cast.rows.contacts() if address in one.contact.emails)


def _where(cast: Cast, step: SceneStep) -> str:
    people = [one.contact.name for one in cast.rows.contacts() if one.contact.emails[0] in step.contacts]
    own = [cast.by_email(email).name for email, outcome in step.outcomes.items() if outcome is Outcome.OWN_RECORD]
    return ", ".join([*people, *(f"{name}'s own record" for name in own)])


def _moment(told: object) -> datetime:
    if not isinstance(told, Mapping):
        raise TypeError("a time at Google is an object")
    moment = moment_of(dict(told), "UTC")
    if not isinstance(moment, datetime):
        raise TypeError("the scene moves meetings that have a time")
    return moment

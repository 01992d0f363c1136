"""Everything that can happen, by its name in a plan: what people do, what goes wrong, what is switched."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from local.google.accounts import Alias
from shared import wiring
from shared.domain.calendar.event import CalendarEvent, Guest, Times
from shared.domain.mailbox import Status, mailbox_id
from shared.domain.people import Contact
from shared.errors import AppError, InputError, NotFoundError
from shared.providers.google.manifest import SCOPES, refused_features
from shared.records.people import Contacts, Users
from shared.usecases.connect import finish_consent, start_consent
from shared.usecases.control_connection import control_connection
from shared.usecases.mail.connect_mailbox import mailbox_keeper
from shared.usecases.save_contact import save_contact
from tests.simulation.plan import OUTSIDERS, Happening, Seat
from tests.simulation.scene import ADMIN, WAITS, Scene, contact_id_of
from tests.usecases.calendar.fake_calendar import event, instance

Act = Callable[[Scene, random.Random, int], str | None]
"""Returns what happened, for the story; None if there was no occasion."""

ACTS: dict[str, Act] = {}


def act(name: str) -> Callable[[Act], Act]:
    def named(function: Act) -> Act:
        ACTS[name] = function
        return function

    return named


def happen(scene: Scene, happening: Happening) -> None:
    dice = random.Random(happening.dice)
    words = ACTS[happening.kind](scene, dice, happening.where)
    if words is not None:
        scene.cloud.faults[happening.kind] += 1
        scene.cloud.tell(f"{happening.kind}: {words}")


# --------------------------------------------------------------------------------------------------------------- mail


@act("mail arrives")
def mail_arrives(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.receives(scene.account(where), dice)
    return _latest(scene)


@act("a reply arrives")
def reply_arrives(scene: Scene, dice: random.Random, where: int) -> str | None:
    if not scene.letters:
        return None
    scene.receives(scene.account(where), dice, answers=dice.choice(list(scene.letters.values())))
    return _latest(scene)


@act("a user writes")
def user_writes(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.writes(scene.account(where), dice, to=dice.sample(OUTSIDERS, dice.choice((1, 1, 2))))
    return _latest(scene)


@act("a user answers")
def user_answers(scene: Scene, dice: random.Random, where: int) -> str | None:
    if not scene.letters:
        return None
    answered = dice.choice(list(scene.letters.values()))
    account = scene.account(where)
    to = list(dict.fromkeys(one for one in (answered.sender, *answered.to) if one != account))
    scene.writes(account, dice, to=to or [dice.choice(OUTSIDERS)], answers=answered)
    return _latest(scene)


@act("a newsletter arrives")
def newsletter_arrives(scene: Scene, dice: random.Random, where: int) -> str | None:
    headers = ["List-Unsubscribe: <https://list.example/u>"]
    scene.post(dice.choice(OUTSIDERS), [scene.account(where)], [], dice=dice, headers=headers)
    return _latest(scene)


@act("a Bcc arrives")
def bcc_arrives(scene: Scene, dice: random.Random, where: int) -> str | None:
    account = scene.account(where)
    to = [dice.choice([one for one in (*OUTSIDERS, *scene.accounts) if one != account])]
    sender = dice.choice([one for one in (*OUTSIDERS, *scene.accounts) if one not in (account, *to)])
    scene.post(sender, to, [], bcc=[account], dice=dice)
    return _latest(scene)


@act("a draft is saved")
def draft_saved(scene: Scene, dice: random.Random, where: int) -> str | None:
    account = scene.account(where)
    lines = [f"From: {account}", f"To: {dice.choice(OUTSIDERS)}", f"Message-ID: <d{dice.random()}@x.example>"]
    raw = "\r\n".join([*lines, "Subject: Draft", "", "Words"])
    scene.cloud.gmail.deliver(account, raw.encode(), labels=("DRAFT",))
    return account


@act("a mail goes to trash")
def mail_to_trash(scene: Scene, dice: random.Random, where: int) -> str | None:
    return _relabel(scene, dice, where, add=("TRASH",), remove=("INBOX",), among=lambda labels: "TRASH" not in labels)


@act("a mail comes back")
def mail_comes_back(scene: Scene, dice: random.Random, where: int) -> str | None:
    lost = ("TRASH", "SPAM")
    return _relabel(scene, dice, where, add=("INBOX",), remove=lost, among=lambda labels: bool(labels & set(lost)))


@act("a mail is spam")
def mail_is_spam(scene: Scene, dice: random.Random, where: int) -> str | None:
    return _relabel(scene, dice, where, add=("SPAM",), remove=("INBOX",), among=lambda labels: "INBOX" in labels)


@act("a mail is deleted")
def mail_deleted(scene: Scene, dice: random.Random, where: int) -> str | None:
    account = scene.account(where)
    messages = list(scene.cloud.gmail.mailbox(account).messages.values())
    if not messages:
        return None
    gone = dice.choice(messages)
    scene.cloud.gmail.delete(account, gone.id)
    return f"{gone.rfc822_id} of {account}"


def _relabel(
    scene: Scene,
    dice: random.Random,
    where: int,
    *,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    among: Callable[[set[str]], bool],
) -> str | None:
    account = scene.account(where)
    messages = [kept for kept in scene.cloud.gmail.mailbox(account).messages.values() if among(kept.labels)]
    if not messages:
        return None
    kept = dice.choice(messages)
    scene.cloud.gmail.relabel(account, kept.id, add=add, remove=remove)
    return f"{kept.rfc822_id} of {account}"


def _latest(scene: Scene) -> str:
    letter = list(scene.letters.values())[-1]
    answers = f", answering {letter.references[-1]}" if letter.references else ""
    return f"{letter.message_id} from {letter.sender} to {', '.join(letter.to)}{answers}"


@act("a message nobody can read")
def unreadable_message(scene: Scene, dice: random.Random, where: int) -> str | None:
    """The body cannot be read, or not even the headers."""
    account = scene.account(where)
    before = set(scene.cloud.gmail.mailbox(account).messages)
    scene.receives(account, dice)
    fresh = set(scene.cloud.gmail.mailbox(account).messages) - before
    if not fresh:
        return None
    kind = dice.choice((scene.cloud.unreadable, scene.cloud.headless))
    kind[account].update(sorted(fresh))
    return _latest(scene)


@act("an alias is added")
def alias_added(scene: Scene, dice: random.Random, where: int) -> str | None:
    """Google tells of it when the addresses are read next, at the daily renewal."""
    account = scene.account(where)
    alias = f"{account.partition('@')[0]}.{dice.randrange(3)}@alias.example"
    if alias in scene.aliases:
        return None
    scene.aliases.add(alias)
    scene.cloud.gmail.accounts[account].aliases.append(Alias(alias))
    return alias


# ----------------------------------------------------------------------------------------------------------- calendar


def _meeting(scene: Scene, dice: random.Random, where: int, **fields: Any) -> CalendarEvent:
    account = scene.account(where)
    number = sum(len(calendar.living()) for calendar in scene.cloud.calendars.values()) + 1
    begin = scene.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=dice.randrange(-48, 24 * 20))
    people = (*OUTSIDERS, *scene.accounts)
    guests = tuple(Guest(email) for email in dict.fromkeys(dice.choices(people, k=dice.randrange(1, 4))))
    given: dict[str, Any] = {"organizer": account, "creator": account, "guests": guests}
    given["private"] = dice.random() < 0.08
    made = event(f"e{number:04}x{dice.randrange(10**6)}", Times(begin, begin + timedelta(hours=1), "UTC"))
    return replace(made, ical_uid=f"{made.event_id}@calendar.example", **(given | fields))


def _invite(scene: Scene, made: CalendarEvent, account: str) -> None:
    """The organizer's copy, and one in the calendar of every guest who has one here."""
    scene.cloud.calendars[account].put(made)
    for guest in made.guests:
        if guest.email in scene.cloud.calendars and guest.email != account:
            copy = replace(made, event_id=f"{made.event_id}of{guest.email.partition('@')[0]}", organizer_is_self=False)
            scene.cloud.calendars[guest.email].put(copy)


@act("a meeting is made")
def meeting_made(scene: Scene, dice: random.Random, where: int) -> str | None:
    made = _meeting(scene, dice, where)
    _invite(scene, made, scene.account(where))
    return _told(made, scene.account(where))


@act("a series is made")
def series_made(scene: Scene, dice: random.Random, where: int) -> str | None:
    rule = dice.choice(("RRULE:FREQ=WEEKLY;COUNT=5", "RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=MONTHLY"))
    made = _meeting(scene, dice, where, recurrence=(rule,))
    _invite(scene, made, scene.account(where))
    return _told(made, scene.account(where))


def _told(made: CalendarEvent, account: str) -> str:
    guests = ", ".join(guest.email for guest in made.guests)
    return f"{made.event_id} of {account} with {guests} {' '.join(made.recurrence)}".strip()


def _a_meeting(scene: Scene, dice: random.Random, where: int, *, series: bool | None = None) -> CalendarEvent | None:
    """A living event of the account, single or series, no changed instance."""
    found = [
        kept
        for kept in scene.cloud.calendars[scene.account(where)].living()
        if not kept.cancelled and kept.series_id is None and (series is None or bool(kept.recurrence) is series)
    ]
    return dice.choice(found) if found else None


@act("a meeting moves")
def meeting_moves(scene: Scene, dice: random.Random, where: int) -> str | None:
    kept = _a_meeting(scene, dice, where, series=False)
    if kept is None or kept.times is None:
        return None
    begin = kept.times.start_at + timedelta(hours=dice.randrange(-30, 60))
    moved = replace(kept, times=Times(begin, begin + timedelta(hours=1), "UTC"), title=f"Moved {dice.randrange(99)}")
    scene.cloud.calendars[scene.account(where)].put(moved)
    return _told(moved, scene.account(where))


@act("guests change")
def guests_change(scene: Scene, dice: random.Random, where: int) -> str | None:
    kept = _a_meeting(scene, dice, where)
    if kept is None:
        return None
    guests = tuple(Guest(email) for email in dice.sample(OUTSIDERS, dice.randrange(3)))
    scene.cloud.calendars[scene.account(where)].put(replace(kept, guests=guests))
    return _told(replace(kept, guests=guests), scene.account(where))


@act("a meeting is deleted")
def meeting_deleted(scene: Scene, dice: random.Random, where: int) -> str | None:
    kept = _a_meeting(scene, dice, where)
    if kept is None:
        return None
    scene.cloud.calendars[scene.account(where)].delete(kept.event_id)
    return _told(kept, scene.account(where))


@act("an instance changes")
def instance_changes(scene: Scene, dice: random.Random, where: int) -> str | None:
    series = _a_meeting(scene, dice, where, series=True)
    if series is None or series.times is None:
        return None
    step = timedelta(days=1 if "DAILY" in series.recurrence[0] else 7)
    if "MONTHLY" in series.recurrence[0]:
        step = timedelta(0)
    begin = series.times.start_at + step * dice.randrange(3)
    original = Times(begin, begin + timedelta(hours=1), "UTC")
    moved = Times(begin + timedelta(hours=3), begin + timedelta(hours=4), "UTC") if dice.random() < 0.6 else None
    changed = instance(series, original, moved)
    scene.cloud.calendars[scene.account(where)].put(changed)
    return f"{changed.event_id} {'moves' if moved else 'is cancelled'}"


# ----------------------------------------------------------------------------------------------------------- contacts


def _contacts(scene: Scene, tenant: str) -> list[Contact]:
    return [stored.contact for stored in Contacts(scene.cloud.store(tenant)).page(after=None, limit=100)]


def _save(scene: Scene, tenant: str, contact_id: str, change: Callable[[Contact | None], Contact | None]) -> None:
    """As a person saves what the page shows them; they try again when it fails."""

    def work() -> None:
        store = wiring.store(tenant)
        try:
            before = Contacts(store).get(contact_id).contact
        except NotFoundError:
            before = None
        after = change(before)
        if after is not None:
            save_contact(store, after, actor=ADMIN, tasks=wiring.tasks(), clock=wiring.clock(), jitter=wiring.jitter())

    _insist(scene, "save_contact", work)


def _insist(scene: Scene, name: str, work: Callable[[], object], tries: int = 200) -> None:
    """A person tries until it works; what they are told cannot be, they leave."""

    def done(error: AppError | None) -> None:
        if error is not None and not isinstance(error, InputError) and tries > 1:
            scene.cloud.hub.after(30, partial(_insist, scene, name, work, tries - 1))

    scene.cloud.as_person(name, work, done)


@act("a contact is added")
def contact_added(scene: Scene, dice: random.Random, where: int) -> str | None:
    tenant = scene.seat(where).tenant
    held = {email for contact in _contacts(scene, tenant) for email in contact.emails}
    fresh = [address for address in OUTSIDERS if address not in held]
    if not fresh:
        return None
    address = dice.choice(fresh)
    contact_id = f"{contact_id_of(address)}{len(_contacts(scene, tenant))}"
    _save(scene, tenant, contact_id, lambda _: Contact(contact_id, contact_id, "", (address,)))
    return f"{contact_id} with {address} in {tenant}"


@act("a contact gains an address")
def address_gained(scene: Scene, dice: random.Random, where: int) -> str | None:
    tenant = scene.seat(where).tenant
    contacts = _contacts(scene, tenant)
    if not contacts:
        return None
    contact, address = dice.choice(contacts), dice.choice(OUTSIDERS)
    _save(scene, tenant, contact.contact_id, lambda before: before and _with(before, address))
    return f"{contact.contact_id} gains {address} in {tenant}"


@act("a contact loses an address")
def address_lost(scene: Scene, dice: random.Random, where: int) -> str | None:
    tenant = scene.seat(where).tenant
    contacts = [contact for contact in _contacts(scene, tenant) if len(contact.emails) > 1]
    if not contacts:
        return None
    contact = dice.choice(contacts)
    address = dice.choice(contact.emails)
    scene.lost_addresses.add((tenant, address))
    _save(scene, tenant, contact.contact_id, lambda before: before and _lacking(before, address))
    return f"{contact.contact_id} loses {address} in {tenant}"


@act("an address moves to another contact")
def address_moves(scene: Scene, dice: random.Random, where: int) -> str | None:
    tenant = scene.seat(where).tenant
    contacts = _contacts(scene, tenant)
    givers = [contact for contact in contacts if len(contact.emails) > 1]
    if not givers or len(contacts) < 2:
        return None
    giver = dice.choice(givers)
    taker = dice.choice([contact for contact in contacts if contact != giver])
    address = dice.choice(giver.emails)
    scene.lost_addresses.add((tenant, address))
    _save(scene, tenant, giver.contact_id, lambda before: before and _lacking(before, address))
    _save(scene, tenant, taker.contact_id, lambda before: before and _with(before, address))
    return f"{address} from {giver.contact_id} to {taker.contact_id} in {tenant}"


def _with(contact: Contact, address: str) -> Contact:
    return replace(contact, emails=tuple(dict.fromkeys((*contact.emails, address))))


def _lacking(contact: Contact, address: str) -> Contact | None:
    left = tuple(email for email in contact.emails if email != address)
    return replace(contact, emails=left) if left else None


# ------------------------------------------------------------------------------------------------------ at the vendors


@act("history expires")
def history_expires(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.cloud.gmail.mailbox(scene.account(where)).expire_history()
    return scene.account(where)


@act("a watch lapses")
def watch_lapses(scene: Scene, dice: random.Random, where: int) -> str | None:
    account = scene.account(where)
    scene.cloud.gmail.lapse_watch(account)
    scene.cloud.lapsed_at[account] = scene.now
    return account


@act("a channel is lost")
def channel_lost(scene: Scene, dice: random.Random, where: int) -> str | None:
    calendar = scene.cloud.calendars[scene.account(where)]
    running = calendar.running()
    if not running:
        return None
    lost = dice.choice(running)
    calendar.channel_lost(lost)
    scene.cloud.channels_lost.add(lost)
    return f"{lost[:8]} of {scene.account(where)}"


@act("sync tokens expire")
def tokens_expire(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.cloud.calendars[scene.account(where)].expire_tokens()
    return scene.account(where)


def _outage(kind: str, longest_s: float) -> Act:
    def down(scene: Scene, dice: random.Random, where: int) -> str | None:
        until = min(scene.now + timedelta(seconds=dice.uniform(20, longest_s)), _calm(scene))
        scene.cloud.down_until[kind] = until
        return f"until {until:%H:%M:%S}"

    return down


ACTS["Gmail is down"] = _outage("gmail", 3_600)
ACTS["Calendar is down"] = _outage("calendar", 3_600)
ACTS["the token endpoint is down"] = _outage("oauth", 3_600)
ACTS["the store is down"] = _outage("store", 600)
ACTS["the queues are down"] = _outage("queues", 600)


def _calm(scene: Scene) -> datetime:
    return scene.plan.start + timedelta(seconds=scene.plan.calm_at_s)


@act("a quota is used up")
def quota_used_up(scene: Scene, dice: random.Random, where: int) -> str | None:
    kind = dice.choice(("gmail", "gmail", "calendar"))
    until = min(scene.now + timedelta(seconds=dice.uniform(5, 900)), _calm(scene))
    scene.cloud.quota_until[kind, scene.account(where)] = until
    return f"{kind} of {scene.account(where)} until {until:%H:%M:%S}"


@act("access tokens die")
def access_tokens_die(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.cloud.google.forget_access(scene.account(where))
    return scene.account(where)


@act("a grant is revoked")
def grant_revoked(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.cloud.google.end_grants(scene.account(where))
    return scene.account(where)


@act("an administrator blocks us")
def admin_blocks(scene: Scene, dice: random.Random, where: int) -> str | None:
    account = scene.account(where)
    scene.cloud.blocked.add(account)
    until = min(scene.now + timedelta(seconds=dice.uniform(60, 3_600)), _calm(scene))
    scene.cloud.hub.at(until, partial(scene.cloud.blocked.discard, account))
    return f"{account} until {until:%H:%M:%S}"


# -------------------------------------------------------------------------------------------------- our own house


@act("a deploy")
def deploy(scene: Scene, dice: random.Random, where: int) -> str | None:
    scene.cloud.deploy()
    return "the instances in flight end"


def connect(scene: Scene, seat: Seat, tries: int = 200) -> None:
    """The whole way through the consent page. A person who is told to start again does so a minute later."""

    def work() -> None:
        credit = wiring.credit(seat.tenant)
        request = start_consent(credit, provider="google", user_id=seat.user_id)
        code = scene.cloud.google.agree(seat.account, frozenset(SCOPES), f"code-{scene.cloud.chance.token()}")
        finish_consent(
            credit,
            provider="google",
            state=request.url.partition("state=")[2],
            binding=request.binding,
            exchange=lambda verifier: scene.cloud.google.exchange(code=code, verifier=verifier),
            keep=mailbox_keeper(wiring.documents(), refused_features),
            tasks=wiring.tasks(),
        )

    def done(error: AppError | None) -> None:
        if error is not None and tries > 1:
            scene.cloud.hub.after(60, partial(connect, scene, seat, tries - 1))

    scene.cloud.as_person("connect", work, done)


def _control(scene: Scene, seat: Seat, wanted: Status, actor: str) -> None:
    def work() -> None:
        store = wiring.store(seat.tenant)
        control_connection(
            store,
            mailbox_id(seat.account),
            Users(store).get(actor),
            wanted,
            documents=wiring.documents(),
            tasks=wiring.tasks(),
            clock=wiring.clock(),
            jitter=wiring.jitter(),
        )

    _insist(scene, "control_connection", work)


@act("a user pauses")
def user_pauses(scene: Scene, dice: random.Random, where: int) -> str | None:
    return _switch(scene, scene.seat(where), Status.PAUSED, lambda record: record.served)


@act("a user resumes")
def user_resumes(scene: Scene, dice: random.Random, where: int) -> str | None:
    return _switch(scene, scene.seat(where), Status.CONNECTED, lambda record: record.status is Status.PAUSED)


@act("a user disconnects")
def user_disconnects(scene: Scene, dice: random.Random, where: int) -> str | None:
    return _switch(scene, scene.seat(where), Status.DISCONNECTED, lambda _: True)


@act("an admin disables")
def admin_disables(scene: Scene, dice: random.Random, where: int) -> str | None:
    return _switch(scene, scene.seat(where), Status.DISABLED, lambda record: record.served, ADMIN)


def _switch(
    scene: Scene, seat: Seat, wanted: Status, occasion: Callable[[Any], bool], actor: str | None = None
) -> str | None:
    record = scene.record(seat)
    if record is None or not occasion(record):
        return None
    _control(scene, seat, wanted, actor or seat.user_id)
    return f"{seat.account} in {seat.tenant}"


@act("a user connects again")
def user_connects_again(scene: Scene, dice: random.Random, where: int) -> str | None:
    seat = scene.seat(where)
    record = scene.record(seat)
    if record is None or record.status not in WAITS:
        return None
    connect(scene, seat)
    return f"{seat.account} in {seat.tenant}"


def people_help(scene: Scene) -> None:
    """Everybody brings their own mailbox back, and an admin those that were disabled."""
    for seat in scene.plan.seats:
        record = scene.record(seat)
        if record is None or record.served:
            continue
        scene.cloud.tell(f"{seat.account} in {seat.tenant} is {record.status.value}; its person helps")
        if record.status in WAITS:
            connect(scene, seat)
        else:
            _control(scene, seat, Status.CONNECTED, ADMIN if record.status is Status.DISABLED else seat.user_id)

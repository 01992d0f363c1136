"""What one seed means: a company, the weather, and who does what when. A plan is data, so that it can be cut down."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tests.simulation.weather import RATES


class Size(StrEnum):
    """How much happens: an hour at most, an afternoon, or more than a week."""

    QUICK = "quick"
    HOURS = "hours"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Seat:
    """A user of a tenant and the account they connect, which may be somebody else's."""

    tenant: str
    user_id: str
    account: str
    share: str = "full"
    own_record: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """Somebody does something. at_s: seconds after the start. where: whom it concerns. dice: seed of its details."""

    at_s: float
    kind: str
    where: int
    dice: int


@dataclass(frozen=True, slots=True)
class Plan:
    """calm_at_s: after this no fault strikes and nothing happens but what people do to help themselves."""

    seed: int
    size: Size
    start: datetime
    calm_at_s: float
    weather: frozenset[str]
    seats: tuple[Seat, ...]
    contacts: tuple[tuple[str, str], ...]
    past_mails: int
    page: int
    tombstone_s: float
    people_help: bool
    happenings: tuple[Happening, ...]


OUTSIDERS = tuple(f"{name}@customer.example" for name in ("carl", "dora", "emil", "fay")) + tuple(
    f"{name}@partner.example" for name in ("gus", "hal", "ida")
)

HABITS: dict[str, int] = {
    "mail arrives": 30,
    "a reply arrives": 14,
    "a user writes": 8,
    "a user answers": 6,
    "a newsletter arrives": 2,
    "a Bcc arrives": 2,
    "a draft is saved": 2,
    "a mail goes to trash": 4,
    "a mail comes back": 3,
    "a mail is deleted": 4,
    "a mail is spam": 1,
    "a meeting is made": 8,
    "a series is made": 3,
    "a meeting moves": 5,
    "guests change": 4,
    "a meeting is deleted": 3,
    "an instance changes": 3,
    "a contact is added": 3,
    "a contact gains an address": 3,
    "a contact loses an address": 2,
    "an address moves to another contact": 2,
}
"""What people do, and how often."""

FAULTS: dict[str, int] = {
    "history expires": 3,
    "a watch lapses": 3,
    "a channel is lost": 2,
    "sync tokens expire": 3,
    "Gmail is down": 2,
    "Calendar is down": 2,
    "the token endpoint is down": 1,
    "the store is down": 1,
    "the queues are down": 1,
    "a quota is used up": 3,
    "access tokens die": 2,
    "a grant is revoked": 3,
    "an administrator blocks us": 1,
    "a deploy": 5,
    "a user pauses": 2,
    "a user resumes": 3,
    "a user disconnects": 2,
    "a user connects again": 5,
    "an admin disables": 1,
    "a message nobody can read": 2,
    "an alias is added": 1,
}
"""What goes wrong, or is switched."""


def make_plan(seed: int, size: Size = Size.HOURS) -> Plan:
    dice = random.Random(f"{seed}/{size}")
    start = datetime(2026, 3, 2, dice.randrange(24), dice.randrange(60), dice.randrange(60), tzinfo=UTC)
    if size is Size.DAYS:
        calm_at_s, number = dice.uniform(2, 9) * 86_400, dice.randrange(60, 160)
    elif size is Size.QUICK:
        calm_at_s, number = dice.uniform(0.3, 1.0) * 3_600, dice.randrange(8, 24)
    else:
        calm_at_s, number = dice.uniform(0.5, 3) * 3_600, dice.randrange(12, 34)
    seats = _seats(dice)
    known = [(tenant, address) for tenant in ("acme", "birch") for address in OUTSIDERS if dice.random() < 0.5]
    kinds = {**HABITS, **{kind: weight * 2 for kind, weight in FAULTS.items()}}
    names = dice.choices(list(kinds), weights=list(kinds.values()), k=number)
    times = sorted(_moment(dice, calm_at_s) for _ in range(number))
    return Plan(
        seed=seed,
        size=size,
        start=start,
        calm_at_s=calm_at_s,
        weather=frozenset(word for word in RATES if dice.random() < 0.5),
        seats=seats,
        contacts=tuple(known),
        past_mails=dice.choice((0, 3, 10)),
        page=dice.choice((2, 3, 10, 250)),
        tombstone_s=dice.choice((0.0, 3_600.0, 86_400.0)),
        people_help=dice.random() < 0.75,
        happenings=tuple(
            Happening(round(at_s, 1), kind, dice.randrange(1000), dice.randrange(2**31))
            for at_s, kind in zip(times, names, strict=True)
        ),
    )


def _moment(dice: random.Random, calm_at_s: float) -> float:
    """Much of it happens at once: half of the moments lie close to a poll."""
    at_s = dice.uniform(120, calm_at_s)
    return at_s if dice.random() < 0.5 else at_s // 300 * 300 + dice.uniform(0, 6)


def _seats(dice: random.Random) -> tuple[Seat, ...]:
    shares = ("full", "full", "subject", "metadata")
    seats = [
        Seat("acme", "u-anna", "anna@acme.example", dice.choice(shares), dice.random() < 0.15),
        Seat("acme", "u-ben", "ben@acme.example", dice.choice(shares)),
    ]
    if dice.random() < 0.4:
        seats.append(Seat("birch", "u-cleo", "cleo@birch.example", dice.choice(shares)))
    if dice.random() < 0.25:
        seats.append(Seat("birch", "u-anna", "anna@acme.example", dice.choice(shares)))
    return tuple(seats)


def without(plan: Plan, *, happenings: frozenset[int] = frozenset(), words: frozenset[str] = frozenset()) -> Plan:
    """The plan without these happenings (by position) and without these words of the weather."""
    kept = tuple(found for number, found in enumerate(plan.happenings) if number not in happenings)
    return replace(plan, happenings=kept, weather=plan.weather - words)


def moment(plan: Plan, at_s: float) -> datetime:
    return plan.start + timedelta(seconds=at_s)

"""Whether an event is logged, decided before anything of it is stored (G25, G28, G11, R15).

The organization's and the person's rules are those of mail, asked in the same order; the sender's place is taken by
the organizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.domain.calendar.event import CalendarEvent
from shared.domain.ledger import Rule
from shared.domain.mail.addresses import Address
from shared.domain.mail_rules import Holder, LeftOut, Lookup, internal_only, listed
from shared.domain.matching import Known, contacts_of
from shared.domain.settings import Organization
from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Busy:
    """Private: nothing but its times is kept (G28)."""


@dataclass(frozen=True, slots=True)
class Outside:
    """It ended before the window that is read."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Log it. contacts: the guests who are contacts this holder may see, by id, in the order of the guest list."""

    contacts: Mapping[str, Known]


EventDecision = LeftOut | Busy | Outside | Matched


def people_of(event: CalendarEvent) -> tuple[Address, ...]:
    """Everyone an event names, the guests in their order first."""
    named = [Address(guest.email, guest.name) for guest in event.guests]
    named += [Address(email) for email in (event.organizer, event.creator) if email]
    return tuple({address.email: address for address in reversed(named)}.values())[::-1]


def decide_event(
    event: CalendarEvent, holder: Holder, organization: Organization, lookup: Lookup, *, since: datetime
) -> EventDecision:
    """What becomes of this calendar's copy of the event, which is not cancelled. since: where the window begins."""
    if event.times and not event.recurrence and event.times.end_at <= since:
        return Outside()
    if event.private:
        return Busy()
    people = people_of(event)
    for rule, hit in (
        (Rule.ERASED, any(lookup.row(person).erased for person in people)),
        (Rule.PERSONAL_NEVER_LOG, listed(people, holder, holder.options.never_log)),
        (Rule.ORGANIZATION_NEVER_LOG, listed(people, holder, organization.never_log)),
        (Rule.INTERNAL, organization.leave_out_internal and internal_only(people, holder, organization, lookup)),
    ):
        if hit:
            return LeftOut(rule)
    matched = contacts_of(known for guest in event.guests for known in lookup.of(Address(guest.email)))
    if not matched:
        return LeftOut(Rule.NO_MATCH)
    if organization.leave_out_unknown_senders and not _organizer_known(event, holder, lookup):
        return LeftOut(Rule.SENDER_UNKNOWN)
    seen = {id_: known for id_, known in matched.items() if holder.viewer.may_see_records_of(known.owner_id)}
    return Matched(seen) if seen else LeftOut(Rule.NO_ACCESS)


def _organizer_known(event: CalendarEvent, holder: Holder, lookup: Lookup) -> bool:
    """Whether a user or a contact called the meeting. One in a shared calendar has that calendar for an organizer, and
    its creator speaks for it."""
    if event.organizer_is_self:
        return True
    callers = [Address(email) for email in (event.organizer, event.creator) if email]
    return any(holder.owns(caller) or lookup.of(caller) for caller in callers)

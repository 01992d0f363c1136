"""Decide what becomes of events: the rules, over one read of everyone they name."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.calendar.event import CalendarEvent
from shared.domain.calendar.rules import people_of
from shared.domain.mail_rules import Lookup
from shared.domain.settings import Organization
from shared.records.addresses import Addresses
from shared.records.store import TenantStore


def look_up_people(store: TenantStore, organization: Organization, events: Iterable[CalendarEvent]) -> Lookup:
    """The address rows of everyone the events name. Companies are not looked up: meetings follow their guests (G25)."""
    emails = [person.email for event in events for person in people_of(event)]
    return Lookup(rows=Addresses(store, organization.index_key).rows(emails), companies={})

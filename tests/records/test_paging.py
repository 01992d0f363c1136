"""Pages of a tenant's records: each begins where the one before ended, and there is an end."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.ledger import queued_row, utc_day
from shared.domain.people import Contact
from shared.ports.documents import Create
from shared.records.people import Contacts
from shared.records.seen import Seen
from shared.records.store import TenantStore
from tests.fakes import START, MemoryDocuments


def test_contacts_page_by_page() -> None:
    store = TenantStore(MemoryDocuments(), "acme")
    contacts = Contacts(store)
    for number in range(7):
        store.commit([contacts.creating(Contact(f"c{number}", "A", "B"))])
    seen, after = [], None
    while page := contacts.page(after=after, limit=3):
        seen += [stored.contact.contact_id for stored in page]
        after = seen[-1]
    assert seen == [f"c{number}" for number in range(7)]


def test_ledger_rows_of_many_days_page_by_page() -> None:
    store = TenantStore(MemoryDocuments(), "acme")
    ledger = Seen(store, "b1")
    for number in range(10):
        store.commit([ledger.creating(queued_row(f"m{number}", "t", START + timedelta(days=number // 4)))])
    position, seen = None, []
    while page := ledger.of_days(utc_day(START), utc_day(START + timedelta(days=9)), after=position, limit=3):
        seen += [row.value.gmail_id for row in page]
        position = (page[-1].value.day.isoformat(), page[-1].value.gmail_id)
    assert seen == [f"m{number}" for number in range(10)]


def test_another_tenants_records_are_on_no_page() -> None:
    documents = MemoryDocuments()
    mine, theirs = TenantStore(documents, "acme"), TenantStore(documents, "zeta")
    theirs.commit([Create("contacts/c1", {"contact_id": "c1", "first_name": "A", "last_name": "B"})])
    assert Contacts(mine).page(after=None, limit=5) == []

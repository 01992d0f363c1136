"""The only queries that cross tenants. They return ids, and whoever works on those goes through a tenant's store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from shared.domain.mailbox import SERVED
from shared.domain.values import dataclass
from shared.ports.documents import ID, Conditions, Document, Documents, Query

PAGE = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A document some tenant owns: its tenant, its path below it, and the time it was found by, if by one."""

    tenant: str
    path: str
    at: datetime | None = None

    def segment(self, index: int) -> str:
        return self.path.split("/")[index]


def served_mailboxes(documents: Documents) -> Iterator[Found]:
    """Mailboxes that are connected and not paused."""
    where: Conditions = (("status", "in", sorted(status.value for status in SERVED)),)
    return _pages(documents, Query("mailboxes", where=where, order_by=(ID,), group=True))


def watches_ending_before(documents: Documents, moment: datetime) -> Iterator[Found]:
    """Streams whose watch or channel ends at or before `moment`."""
    where: Conditions = (("watch_expires_at", "<=", moment),)
    return _pages(documents, Query("streams", where=where, order_by=("watch_expires_at", ID), group=True))


def promised_before(documents: Documents, moment: datetime) -> Iterator[Found]:
    where: Conditions = (("promised_at", "<=", moment),)
    return _pages(documents, Query("outbox", where=where, order_by=("promised_at", ID), group=True))


def hidden_before(documents: Documents, moment: datetime) -> Iterator[Found]:
    """Messages, the organization's and users' own, whose time is over."""
    where: Conditions = (("expires_at", "<=", moment),)
    return _pages(documents, Query("messages", where=where, order_by=("expires_at", ID), group=True))


def series_to_roll(documents: Documents, moment: datetime) -> Iterator[Found]:
    """Meetings whose next occurrence has come over the horizon."""
    return _pages(
        documents, Query("meetings", where=(("roll_at", "<=", moment),), order_by=("roll_at", ID), group=True)
    )


def connected_ledgers(documents: Documents) -> Iterator[Found]:
    return _pages(documents, Query("ledgers", order_by=(ID,), group=True))


def signing_connections(documents: Documents) -> Iterator[Found]:
    """Every connected signing service."""
    return _pages(documents, Query("signing_services", order_by=(ID,), group=True))


def contracts_signed(documents: Documents) -> Iterator[Found]:
    """Contracts that are signed and have not begun."""
    where: Conditions = (("status", "==", "fully_signed"),)
    return _pages(documents, Query("contracts", where=where, order_by=(ID,), group=True))


def contracts_ending(documents: Documents, day: date) -> Iterator[Found]:
    """Active contracts whose last day is `day` or before."""
    where: Conditions = (("status", "==", "active"), ("ends_on", "<=", day.isoformat()))
    return _pages(documents, Query("contracts", where=where, order_by=("ends_on", ID), group=True))


def quotes_ended(documents: Documents, today: date) -> Iterator[Found]:
    """Quotes that are with their customer, and whose last day is over."""
    where: Conditions = (("status", "in", ["sent", "viewed"]), ("expires_on", "<", today.isoformat()))
    return _pages(documents, Query("quotes", where=where, order_by=("expires_on", ID), group=True))


def _pages(documents: Documents, query: Query) -> Iterator[Found]:
    start: tuple[object, ...] | None = None
    while True:
        page = documents.find(
            Query(query.collection, query.where, query.order_by, limit=PAGE, start_after=start, group=True)
        )
        yield from (_found(document, query.order_by[0]) for document in page)
        if len(page) < PAGE:
            return
        last = page[-1]
        start = tuple(last.path if name == ID else last.fields[name] for name in query.order_by)


def _found(document: Document, field: str) -> Found:
    _, tenant, path = document.path.split("/", 2)
    found_by = document.fields.get(field)
    return Found(tenant, path, found_by if isinstance(found_by, datetime) else None)

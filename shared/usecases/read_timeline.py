"""Read a timeline as one person may see it: one query, then one pure function (R13, D7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from shared.domain.message import LoggedMessage
from shared.domain.people import SEES_ALL_RECORDS, User, Viewer
from shared.domain.settings import Share
from shared.domain.timeline import Entry
from shared.domain.values import dataclass
from shared.domain.visibility import level, visible
from shared.errors import ForbiddenError, NotFoundError
from shared.ports.blobs import Blobs
from shared.records.mail import Messages, Timelines, company_owner, contact_owner, deal_owner, user_owner
from shared.records.people import Companies, Contacts
from shared.records.store import TenantStore

PAGE = 20
PAGES_READ_AT_MOST = 25
"""For one page that is shown."""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """entries: newest first. next_before: where the next page begins, None on the last."""

    entries: tuple[Entry, ...]
    next_before: tuple[datetime, str] | None


def read_contact_timeline(
    store: TenantStore,
    contact_id: str,
    viewer: Viewer,
    *,
    before: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> TimelinePage:
    """Raises: NotFoundError, also for a contact the viewer may not see: its existence is not told."""
    contact = Contacts(store).get(contact_id).contact
    if not viewer.may_see_records_of(contact.owner_id):
        raise NotFoundError(f"contact {contact_id} does not exist")
    return _page(store, contact_owner(contact_id), viewer, before, limit)


def read_company_timeline(
    store: TenantStore,
    company_id: str,
    viewer: Viewer,
    *,
    before: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> TimelinePage:
    """A company has no owner: its timeline is everybody's, but for deals that are not theirs to see.

    Raises: NotFoundError.
    """
    Companies(store).get(company_id)
    return _page(store, company_owner(company_id), viewer, before, limit)


def read_deal_timeline(
    store: TenantStore,
    deal_id: str,
    viewer: Viewer,
    *,
    before: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> TimelinePage:
    """Raises: NotFoundError, also for a deal the viewer may not see: its existence is not told."""
    from shared.records.cash import CashRecords
    from shared.usecases.cash.finance import may_see_deal

    if not may_see_deal(CashRecords(store).deals.get(deal_id).value, viewer):
        raise NotFoundError(f"deal {deal_id} does not exist")
    return _page(store, deal_owner(deal_id), viewer, before, limit)


def read_own_record(
    store: TenantStore, user: User, *, before: tuple[datetime, str] | None = None, limit: int = PAGE
) -> TimelinePage:
    """The user's own record, which nobody else can ask for (G12)."""
    return _page(store, user_owner(user.user_id), user.viewer, before, limit)


def _page(
    store: TenantStore, owner: str, viewer: Viewer, before: tuple[datetime, str] | None, limit: int
) -> TimelinePage:
    """A full page of what the viewer may see, however much lies between that they may not: neither a short page nor
    the place where the next one begins tells of it."""
    shown: list[Entry] = []
    start = before
    for _ in range(PAGES_READ_AT_MOST):
        entries = Timelines(store).page(owner, before=start, limit=limit)
        shown += _visible(store, entries, viewer)
        if len(entries) < limit or len(shown) >= limit:
            break
        start = (entries[-1].at, entries[-1].entry_id)
    full = len(shown) >= limit
    last = shown[limit - 1] if full else entries[-1] if len(entries) == limit else None
    return TimelinePage(tuple(shown[:limit]), (last.at, last.entry_id) if last else None)


def _visible(store: TenantStore, entries: Sequence[Entry], viewer: Viewer) -> Iterator[Entry]:
    figures, kept_back = _sees_figures(store, entries, viewer), _deals_kept_back(store, entries, viewer)
    for entry in entries:
        shown = visible(entry, viewer, figures=figures)
        if shown is not None and not (entry.happening and kept_back.intersection(entry.deal_ids)):
            yield shown


def _deals_kept_back(store: TenantStore, entries: Iterable[Entry], viewer: Viewer) -> frozenset[str]:
    """Deals that these entries tell of and the viewer may not see (R2). Asked only for a page that tells of deals."""
    told = {deal_id for entry in entries if entry.happening for deal_id in entry.deal_ids}
    if not told or viewer.role in SEES_ALL_RECORDS:
        return frozenset()
    from shared.records.cash import CashRecords
    from shared.usecases.cash.finance import may_see_deal

    deals = {deal_id: CashRecords(store).deals.find(deal_id) for deal_id in told}
    return frozenset(id_ for id_, deal in deals.items() if deal is None or not may_see_deal(deal.value, viewer))


def _sees_figures(store: TenantStore, entries: Iterable[Entry], viewer: Viewer) -> bool:
    """Asked only for a page that has figures: most pages of mail and meetings cost no further read."""
    if not any(entry.happening and entry.happening.plain for entry in entries):
        return False
    from shared.usecases.cash.finance import sees_figures

    return sees_figures(store, viewer)


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message with its body, as much of it as the viewer may read. html is sanitized; remote images are blocked."""

    message: LoggedMessage
    text: str
    html: str | None


def open_message(store: TenantStore, message_id: str, viewer: Viewer, *, blobs: Blobs) -> OpenedMessage:
    """A message of the organization, or else of the viewer's own record.

    Raises: NotFoundError; ForbiddenError where its holders share less than the whole.
    """
    own = Messages(store, f"{user_owner(viewer.user_id)}/").find(message_id)
    message = own.value if own else Messages(store).get(message_id).value
    share = level(message.readers, viewer)
    owners: Mapping[str, str | None] = {
        stored.contact.contact_id: stored.contact.owner_id for stored in Contacts(store).get_all(message.contact_ids)
    }
    holder = any(reader.rpartition(":")[0] == viewer.user_id for reader in message.readers)
    if share is None or not (holder or any(viewer.may_see_records_of(owner) for owner in owners.values())):
        raise NotFoundError(f"message {message_id} does not exist")
    if share is not Share.FULL:
        raise ForbiddenError("The people who hold this message share its metadata only; ask one of them for access.")
    text = message.text if message.text is not None else _blob(blobs, message.text_blob) or ""
    html = message.html if message.html is not None else _blob(blobs, message.html_blob)
    return OpenedMessage(message, text, html)


def _blob(blobs: Blobs, key: str | None) -> str | None:
    return blobs.get(key).decode() if key else None

"""Users, contacts and companies of a tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from shared.domain.people import Company, Contact, User
from shared.domain.values import dataclass
from shared.errors import NotFoundError
from shared.ports.documents import ID, Create, Document, Increment, Maximum, Query, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

USER: Kind[User] = Kind(User)
CONTACT: Kind[Contact] = Kind(Contact)
COMPANY: Kind[Company] = Kind(Company)


class Users:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self, user_id: str) -> User:
        """Raises: NotFoundError."""
        document = self._store.get(f"users/{user_id}")
        if document is None:
            raise NotFoundError(f"user {user_id} does not exist")
        return USER.value(document.fields)

    def find(self, user_id: str) -> User | None:
        document = self._store.get(f"users/{user_id}")
        return USER.value(document.fields) if document else None

    def all(self) -> list[User]:
        return [USER.value(document.fields) for document in self._store.find(Query("users", order_by=(ID,)))]

    def creating(self, user: User) -> Write:
        return Create(f"users/{user.user_id}", USER.fields(user))

    def updating(self, user: User) -> Write:
        return Update(f"users/{user.user_id}", USER.fields(user))


@dataclass(frozen=True, slots=True)
class Figures:
    """What the sync keeps true on a contact (R5). Times are aware UTC; mails counts the messages on the timeline."""

    last_interaction_at: datetime | None = None
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None
    mails: int = 0


def microseconds(moment: datetime) -> int:
    """A moment as the store can compare it in a Maximum."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def from_microseconds(value: int | None) -> datetime | None:
    if not value:
        return None
    return datetime.fromtimestamp(value // 1_000_000, tz=UTC).replace(microsecond=value % 1_000_000)


@dataclass(frozen=True, slots=True)
class StoredContact:
    contact: Contact
    figures: Figures
    version: Version


class Contacts:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self, contact_id: str) -> StoredContact:
        """Raises: NotFoundError."""
        document = self._store.get(f"contacts/{contact_id}")
        if document is None:
            raise NotFoundError(f"contact {contact_id} does not exist")
        return _stored(document)

    def get_all(self, contact_ids: Sequence[str]) -> list[StoredContact]:
        """Those of the named contacts that exist."""
        found = self._store.get_all([f"contacts/{contact_id}" for contact_id in contact_ids])
        return [_stored(document) for document in found if document]

    def page(self, *, after: str | None, limit: int) -> list[StoredContact]:
        """Contacts in id order."""
        start = (f"contacts/{after}",) if after else None
        found = self._store.find(Query("contacts", order_by=(ID,), limit=limit, start_after=start))
        return [_stored(document) for document in found]

    def count(self) -> int:
        return self._store.count(Query("contacts"))

    def creating(self, contact: Contact) -> Write:
        return Create(f"contacts/{contact.contact_id}", CONTACT.fields(contact))

    def updating(self, contact: Contact, version: Version) -> Write:
        """The contact's own fields; its figures stay."""
        return Update(f"contacts/{contact.contact_id}", CONTACT.fields(contact), version)

    def adding_mail(self, contact_id: str, sent_at: datetime, *, incoming: bool) -> Write:
        moment = Maximum(microseconds(sent_at))
        side = "figures.last_inbound_us" if incoming else "figures.last_outbound_us"
        fields = {"figures.mails": Increment(1), "figures.last_interaction_us": moment, side: moment}
        return Update(f"contacts/{contact_id}", fields)

    def setting_figures(self, contact_id: str, figures: Figures, version: Version) -> Write:
        """Figures computed anew, after mail was taken away: a Maximum only ever rises."""
        at = {
            "last_interaction_us": figures.last_interaction_at,
            "last_inbound_us": figures.last_inbound_at,
            "last_outbound_us": figures.last_outbound_at,
        }
        values = {f"figures.{name}": microseconds(moment) if moment else 0 for name, moment in at.items()}
        return Update(f"contacts/{contact_id}", {**values, "figures.mails": figures.mails}, version)


def _stored(document: Document) -> StoredContact:
    raw = document.fields.get("figures", {})
    figures = Figures(
        last_interaction_at=from_microseconds(raw.get("last_interaction_us")),
        last_inbound_at=from_microseconds(raw.get("last_inbound_us")),
        last_outbound_at=from_microseconds(raw.get("last_outbound_us")),
        mails=raw.get("mails", 0),
    )
    return StoredContact(CONTACT.value(document.fields), figures, document.version)


class Companies:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self, company_id: str) -> Company:
        """Raises: NotFoundError."""
        document = self._store.get(f"companies/{company_id}")
        if document is None:
            raise NotFoundError(f"company {company_id} does not exist")
        return COMPANY.value(document.fields)

    def find(self, company_id: str) -> Company | None:
        document = self._store.get(f"companies/{company_id}")
        return COMPANY.value(document.fields) if document else None

    def stored(self, company_id: str) -> Stored[Company] | None:
        """With its version, to be changed."""
        return stored(COMPANY, self._store.get(f"companies/{company_id}"))

    def creating(self, company: Company) -> Write:
        return Create(f"companies/{company.company_id}", COMPANY.fields(company))

    def updating(self, company: Company, version: Version) -> Write:
        return Update(f"companies/{company.company_id}", COMPANY.fields(company), version)

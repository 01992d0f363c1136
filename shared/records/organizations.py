"""An organization's settings: one document under its tenant."""

from __future__ import annotations

from shared.domain.settings import Organization
from shared.errors import NotFoundError
from shared.ports.documents import Create, Document, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

PATH = "settings/organization"
ORGANIZATION: Kind[Organization] = Kind(Organization)


class Organizations:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self) -> Organization:
        """Raises: NotFoundError for a tenant that was never set up."""
        return read_organization(self._store.get(PATH), self._store.tenant)

    def creating(self, organization: Organization) -> Write:
        return Create(PATH, ORGANIZATION.fields(organization))

    def stored(self) -> Stored[Organization]:
        """Raises: NotFoundError for a tenant that was never set up."""
        found = stored(ORGANIZATION, self._store.get(PATH))
        if found is None:
            raise NotFoundError(f"tenant {self._store.tenant} has no settings")
        return found

    def updating(self, organization: Organization, version: Version | None = None) -> Write:
        """version: of the settings these replace, where somebody else may change them at the same time."""
        return Update(PATH, ORGANIZATION.fields(organization), version)


def read_organization(document: Document | None, tenant: str) -> Organization:
    if document is None:
        raise NotFoundError(f"tenant {tenant} has no settings")
    return ORGANIZATION.value(document.fields)

"""Erasures of a tenant, by the contact they were asked for."""

from __future__ import annotations

from shared.domain.erasure import Erasure, erasure_id
from shared.ports.documents import Create, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

ERASURE: Kind[Erasure] = Kind(Erasure)


class Erasures:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def of_contact(self, contact_id: str) -> Stored[Erasure] | None:
        return stored(ERASURE, self._store.get(_path(erasure_id(contact_id))))

    def creating(self, erasure: Erasure) -> Write:
        return Create(_path(erasure.erasure_id), ERASURE.fields(erasure))

    def updating(self, erasure: Erasure, version: Version) -> Write:
        return Update(_path(erasure.erasure_id), ERASURE.fields(erasure), version)


def _path(id_: str) -> str:
    return f"erasures/{id_}"

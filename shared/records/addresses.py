"""Whose address is it: one document per address without its +tag, one per company domain (G9).

Ids are keyed digests, so that a list of ids tells nobody which addresses an organization knows. Entries are map fields
keyed by what they say, so that adding one twice, or adding and removing in any order, ends the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.domain.ids import keyed_digest, short_id
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.matching import AddressRow, Known
from shared.ports.documents import Document, Drop, Merge, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore

KNOWN: Kind[Known] = Kind(Known)


class Addresses:
    def __init__(self, store: TenantStore, index_key: bytes) -> None:
        self._store = store
        self._key = index_key

    def path(self, address: str) -> str:
        """Of the row of an address, tagged or not."""
        return "addresses/a" + keyed_digest(self._key, "address", untagged(normalize(address)))[:40]

    def domain_path(self, domain: str) -> str:
        return "domains/d" + keyed_digest(self._key, "domain", domain)[:40]

    def rows(self, addresses: Iterable[str]) -> dict[str, AddressRow]:
        """Rows by untagged address, read in one go; an address nobody has is absent."""
        bare = list(dict.fromkeys(untagged(normalize(address)) for address in addresses))
        documents = self._store.get_all([self.path(address) for address in bare])
        return {address: row_of(document) for address, document in zip(bare, documents, strict=True) if document}

    def companies(self, domains: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Company ids by domain."""
        wanted = list(dict.fromkeys(domains))
        documents = self._store.get_all([self.domain_path(domain) for domain in wanted])
        return {
            domain: tuple(sorted(document.fields["companies"]))
            for domain, document in zip(wanted, documents, strict=True)
            if document and document.fields.get("companies")
        }

    def adding(self, known: Known) -> Write:
        return Merge(self.path(known.email), {"v": 1, "known": {_entry_id(known): KNOWN.fields(known)}})

    def removing(self, known: Known) -> Write:
        return Merge(self.path(known.email), {"v": 1, "known": {_entry_id(known): Drop()}})

    def adding_company(self, domain: str, company_id: str) -> Write:
        return Merge(self.domain_path(domain), {"v": 1, "companies": {company_id: True}})


def _entry_id(known: Known) -> str:
    return short_id("k", known.kind, known.id, known.email)


def row_of(document: Document | None) -> AddressRow:
    if document is None:
        return AddressRow()
    entries = document.fields.get("known", {})
    known = tuple(KNOWN.value(entries[entry_id]) for entry_id in sorted(entries))
    return AddressRow(known=known, erased=bool(document.fields.get("erased")))

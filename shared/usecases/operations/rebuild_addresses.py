"""Make the address index what contacts, companies and mailboxes say it must be (G9).

The index answers whose an address is without a query; it is written with the records it follows from, so it can only be
wrong after a restore, or a bug.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared import log
from shared.domain.matching import Known
from shared.domain.values import dataclass
from shared.errors import NotFoundError
from shared.ports.documents import Document, Documents, Update, Write
from shared.ports.time import Jitter
from shared.records.addresses import KNOWN, Addresses, row_of
from shared.records.codec import VERSION
from shared.records.mailboxes import MAILBOX, Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import COMPANY, CONTACT, Contacts
from shared.records.store import TenantStore, guarded
from shared.records.walks import walk
from shared.usecases.save_contact import known_of

COMMITTED_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """rows: address rows that were looked at. added, removed: entries; misplaced rows count as removed."""

    rows: int
    added: int
    removed: int


def rebuild_addresses(documents: Documents, store: TenantStore, *, jitter: Jitter, dry_run: bool = False) -> Rebuilt:
    """Add what is missing, then take away what nobody has. Marks of erased people stay as they are."""
    addresses = Addresses(store, Organizations(store).get().index_key)
    added = _add_missing(documents, store, addresses, dry_run=dry_run)
    rows = removed = 0
    for document in walk(documents, "addresses", tenant=store.tenant):
        rows += 1
        for known in row_of(document).known:
            if _is_right(store, addresses, document, known):
                continue
            removed += 1
            if not dry_run:
                _remove(store, addresses, document, known, jitter)
    if added or removed:
        log.event("addresses.rebuilt", tenant=store.tenant, added=added, removed=removed, dry_run=dry_run)
    return Rebuilt(rows, added, removed)


def _expected(documents: Documents, tenant: str) -> Iterator[Known]:
    for document in walk(documents, "contacts", tenant=tenant):
        yield from known_of(CONTACT.value(document.fields))
    for document in walk(documents, "mailboxes", tenant=tenant):
        mailbox = MAILBOX.value(document.fields)
        yield from (Known(address, "user", mailbox.user_id) for address in sorted(mailbox.own))


def _add_missing(documents: Documents, store: TenantStore, addresses: Addresses, *, dry_run: bool) -> int:
    added = 0
    waiting: list[Known] = []
    writes: list[Write] = []

    def settle() -> int:
        there = store.get_all([addresses.path(known.email) for known in waiting])
        missing = [known for known, row in zip(waiting, there, strict=True) if known not in row_of(row).known]
        writes.extend(addresses.adding(known) for known in missing)
        if writes and not dry_run:
            store.commit(writes)
        waiting.clear()
        writes.clear()
        return len(missing)

    for known in _expected(documents, store.tenant):
        waiting.append(known)
        if len(waiting) == COMMITTED_TOGETHER:
            added += settle()
    for document in walk(documents, "companies", tenant=store.tenant):
        company = COMPANY.value(document.fields)
        held = addresses.companies(company.domains)
        missing = [domain for domain in company.domains if company.company_id not in held.get(domain, ())]
        writes.extend(addresses.adding_company(domain, company.company_id) for domain in missing)
        added += len(missing)
        if len(writes) >= COMMITTED_TOGETHER:
            added += settle()
    return added + settle()


def _is_right(store: TenantStore, addresses: Addresses, row: Document, known: Known) -> bool:
    """Whether its owner has this very address, and it lies where one looks for it."""
    if row.path != f"tenants/{store.tenant}/{addresses.path(known.email)}":
        return False
    if known.kind == "contact":
        try:
            return known in known_of(Contacts(store).get(known.id).contact)
        except NotFoundError:
            return False
    return any(known.email in mailbox.own for mailbox in Mailboxes(store).all() if mailbox.user_id == known.id)


def _remove(store: TenantStore, addresses: Addresses, row: Document, known: Known, jitter: Jitter) -> None:
    """Under the row's guard: a contact that gains the address meanwhile writes this row, and is looked at again."""

    def attempt() -> None:
        current = store.get(row.path.removeprefix(f"tenants/{store.tenant}/"))
        if current is None or known not in row_of(current).known or _is_right(store, addresses, row, known):
            return
        held = current.fields["known"]
        kept = {entry: value for entry, value in held.items() if KNOWN.value(value) != known}
        store.commit([Update(current.path, {VERSION: 1, "known": kept}, current.version)])

    guarded(jitter, row.path, attempt)

"""Import contacts from rows: one contact per person, updated where an address is known, errors row by row (R4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from shared.domain.contact_import import ROWS_AT_MOST, ImportedContact, RowError, guess_columns, read_row
from shared.domain.ids import short_id
from shared.domain.mail.addresses import domain_of, is_free_mail
from shared.domain.matching import contacts_of
from shared.domain.people import Company, Contact, ContactStatus, Phone, Role, Viewer
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.addresses import Addresses
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.store import TenantStore
from shared.usecases.save_contact import save_company, save_contact

ReadPhone = Callable[[str], str | None]
"""What was typed to E.164, or None where it is no phone number."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many rows made a new contact, changed one, or changed nothing; and what is wrong with the others."""

    new: int
    updated: int
    unchanged: int
    errors: tuple[RowError, ...]


def import_contacts(
    store: TenantStore,
    header: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    *,
    actor: str,
    read_phone: ReadPhone,
    is_public_suffix: Callable[[str], bool],
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
    dry_run: bool = False,
) -> ImportResult:
    """actor: id of the user who imports. A contact that is not theirs to see is neither met nor changed: its row makes
    one of their own, as if it were not there (R2).

    Raises: InputError for a file that is too long, or has no column an address or a name can be found in.
    """
    if len(rows) > ROWS_AT_MOST:
        raise InputError(f"The file has {len(rows)} rows; split it into files of at most {ROWS_AT_MOST} rows.")
    mapping = guess_columns(header)
    if not mapping.keys() & {"emails", "phones"}:
        raise InputError("No column looks like an email address or a phone; name one column 'Email'.")
    index_key = Organizations(store).get().index_key
    users = Users(store).all()
    owners = {user.email: user.user_id for user in users}
    viewer = next((user.viewer for user in users if user.user_id == actor), Viewer(actor, Role.SALES_REP))
    counts = {"new": 0, "updated": 0, "unchanged": 0}
    errors: list[RowError] = []
    for number, row in enumerate(rows, start=2):
        read = read_row(number, row, mapping)
        if isinstance(read, RowError):
            errors.append(read)
            continue
        before = _existing(store, index_key, read, viewer)
        base = before or Contact(_new_id(store, read, viewer), read.first_name, read.last_name)
        contact = _contact(read, base, owners, read_phone)
        company = _company(read)
        if company is not None:
            contact = replace(contact, company_ids=tuple(dict.fromkeys((*contact.company_ids, company.company_id))))
        outcome = "new" if before is None else "unchanged" if before == contact else "updated"
        counts[outcome] += 1
        if dry_run or outcome == "unchanged":
            continue
        if company is not None:
            save_company(store, company, is_public_suffix=is_public_suffix, jitter=jitter)
        save_contact(store, contact, actor=actor, tasks=tasks, clock=clock, jitter=jitter)
    return ImportResult(counts["new"], counts["updated"], counts["unchanged"], tuple(errors))


def _existing(store: TenantStore, index_key: bytes, read: ImportedContact, viewer: Viewer) -> Contact | None:
    """The contact that has one of the row's addresses and that the viewer may see; of several the first by id."""
    if read.emails:
        rows = Addresses(store, index_key).rows(read.emails)
        ids = sorted(contacts_of(known for row in rows.values() for known in row.known if known.email in read.emails))
    else:
        ids = [_contact_id(read), _contact_id(read, viewer.user_id)]
    found = (stored.contact for stored in Contacts(store).get_all(ids))
    return next((contact for contact in found if viewer.may_see_records_of(contact.owner_id)), None)


def _new_id(store: TenantStore, read: ImportedContact, viewer: Viewer) -> str:
    """The row's own id; where somebody else has a contact under it, one of the row and who imports it."""
    taken = Contacts(store).get_all([_contact_id(read)])
    hidden = any(not viewer.may_see_records_of(stored.contact.owner_id) for stored in taken)
    return _contact_id(read, viewer.user_id) if hidden else _contact_id(read)


def _contact(read: ImportedContact, base: Contact, owners: Mapping[str, str], read_phone: ReadPhone) -> Contact:
    """The row over what is there: it fills and adds, and empties nothing."""
    phones = {phone.typed: phone for phone in base.phones}
    phones.update({typed: Phone(typed, read_phone(typed)) for typed in read.phones if typed not in phones})
    return replace(
        base,
        first_name=read.first_name or base.first_name,
        last_name=read.last_name or base.last_name,
        emails=tuple(dict.fromkeys((*base.emails, *read.emails))),
        phones=tuple(phones.values()),
        title=read.title or base.title,
        status=ContactStatus(read.status) if read.status in set(ContactStatus) else base.status,
        owner_id=owners.get(read.owner_email, base.owner_id),
    )


def _contact_id(read: ImportedContact, *importer: str) -> str:
    """Made from the row, so that an import that is repeated after a crash meets its own contacts."""
    key = read.emails[0] if read.emails else "/".join((*read.phones, read.first_name, read.last_name))
    return short_id("c", "contact", key, *importer)


def _company(read: ImportedContact) -> Company | None:
    if not read.company:
        return None
    domains = {domain_of(email) for email in read.emails}
    own = tuple(sorted(domain for domain in domains if not is_free_mail(domain)))
    return Company(short_id("y", "company", read.company.casefold()), read.company, own)

"""Everything an organization keeps about one person, as it may be handed to them (R10, D7).

What others read of it stays out: whose mailbox held a message, users' own records (which would betray who got a copy
by Bcc), personal never-log lists, and mail between others that only mentions the person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.erasure import Person
from shared.domain.values import dataclass
from shared.ports.documents import Documents
from shared.ports.secrets import Vault
from shared.ports.time import Clock
from shared.records.audit import Audit
from shared.records.cash import CONTRACT, QUOTE
from shared.records.mail import MESSAGE
from shared.records.people import Contacts
from shared.records.store import TenantStore
from shared.usecases.cash.send_quote import pdf_key
from shared.usecases.operations.person_traces import Trace, sought, traces_in

EXPORTED = (
    "contacts",
    "timeline",
    "messages",
    "events",
    "opportunities",
    "quotes",
    "contracts",
    "invoice_intents",
    "customers",
)

_OF_OTHERS = frozenset({"readers", "user_ids", "participant_keys", "origin", "lease", "link"})
"""Fields that tell who else reads something, or that only machines read."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One record. fields: of the document, without what concerns others. blobs: keys of what lies beside it."""

    path: str
    fields: Mapping[str, Any]
    blobs: tuple[str, ...] = ()


def export_person(documents: Documents, store: TenantStore, contact_id: str, *, vault: Vault) -> Iterator[Exported]:
    """Collection by collection. Raises: NotFoundError."""
    contact = Contacts(store).get(contact_id).contact
    person = sought(store, contact).person
    for collection in EXPORTED:
        for trace in traces_in(documents, store, person, vault, collection):
            if _is_handed_out(trace, person):
                yield Exported(trace.path, _without_others(trace.document.fields), _blobs(store, trace))


def record_export(store: TenantStore, contact_id: str, *, actor: str, records: int, clock: Clock) -> None:
    """Exports are audited (R8)."""
    after = {"records": str(records)}
    store.commit([Audit(store).recording(actor, "contact.exported", contact_id, clock.now(), after=after)])


def _is_handed_out(trace: Trace, person: Person) -> bool:
    match trace.collection:
        case "contacts":
            return trace.path == f"contacts/{person.contact_id}"
        case "timeline":
            return trace.path.startswith(f"contacts/{person.contact_id}/")
        case "messages":
            fields = trace.document.fields
            takes_part = set(fields["participant_keys"]) & person.keys or person.contact_id in fields["contact_ids"]
            return bool(takes_part) and not trace.path.startswith("users/")
        case _:
            return True


def _without_others(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_others(kept) for name, kept in value.items() if name not in _OF_OTHERS}
    return [_without_others(item) for item in value] if isinstance(value, list) else value


def _blobs(store: TenantStore, trace: Trace) -> tuple[str, ...]:
    fields = trace.document.fields
    keys: tuple[str | None, ...]
    match trace.collection:
        case "messages":
            message = MESSAGE.value(fields)
            keys = (message.text_blob, message.html_blob)
        case "contracts":
            contract = CONTRACT.value(fields)
            keys = (contract.document_blob, contract.certificate_blob)
        case "quotes":
            quote = QUOTE.value(fields)
            keys = (pdf_key(store, quote.quote_id, quote.pdf_sha256),) if quote.pdf_sha256 else ()
        case _:
            return ()
    return tuple(key for key in keys if key)

"""Find every trace of a person: one walk over everything an organization keeps (D10).

The walk finds by the keyed hashes of the addresses and by the contact's id. It is the same walk before an erasure,
which lists, and after it, which proves.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.cash.contract import SIGNED, Contract
from shared.domain.cash.quote import Quote, QuoteStatus
from shared.domain.delivery import Delivery
from shared.domain.erasure import Person, person_of, redacted
from shared.domain.mail.addresses import normalize, untagged
from shared.domain.matching import AddressRow
from shared.domain.people import Contact
from shared.domain.values import dataclass
from shared.errors import PayloadError
from shared.ports.documents import Document, Documents
from shared.ports.secrets import Vault
from shared.records.addresses import Addresses
from shared.records.cash import CONTRACT, QUOTE
from shared.records.organizations import Organizations
from shared.records.store import TenantStore
from shared.records.walks import walk
from shared.usecases.accept_delivery import DELIVERY, delivered_body
from shared.usecases.operations.catalogue import CATALOGUE, collection_of

WITHOUT_PEOPLE = frozenset(
    {
        "addresses",  # keyed hashes; the addresses in them go first of all
        "audit",  # ids of what was done to which record
        "budget",
        "erasures",
        "integration_log",
        "invoiced_quotes",
        "keys",
        "numbers",
        "oauth_states",
        "outbox",  # work under way: ids, gone when it is done
        "quarantine",  # ids
        "routes",
        "secret",
        "seen",  # ids, and keyed hashes of Message-IDs
        "slots",
        "streams",
        "system",
        "wanted",
    }
)
"""Collections that hold ids, hashes and times by their nature and are not searched."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Who is looked for, and which of their addresses somebody else has as well."""

    person: Person
    own: frozenset[str]
    shared: int


@dataclass(frozen=True, slots=True)
class Trace:
    """A document that tells of the person. path: below the tenant. paper: a signed one, which the law may protect."""

    document: Document
    path: str
    paper: bool

    @property
    def collection(self) -> str:
        return collection_of(self.document.path)


def sought(store: TenantStore, contact: Contact) -> Sought:
    """An address that another contact or a user has stays theirs: it is no trace of this person alone."""
    index_key = Organizations(store).get().index_key
    bare = {untagged(normalize(email)) for email in contact.emails}
    rows = Addresses(store, index_key).rows(sorted(bare))
    own = frozenset(email for email in bare if not _of_others(rows.get(email), contact.contact_id))
    return Sought(person_of(contact, own, index_key), own, len(bare) - len(own))


def _of_others(row: AddressRow | None, contact_id: str) -> bool:
    return row is not None and any((known.kind, known.id) != ("contact", contact_id) for known in row.known)


def find_traces(documents: Documents, store: TenantStore, person: Person, vault: Vault) -> Iterator[Trace]:
    """Every document that tells of the person, collection by collection, in path order."""
    for collection in sorted(set(CATALOGUE) - WITHOUT_PEOPLE):
        yield from traces_in(documents, store, person, vault, collection)


def traces_in(
    documents: Documents, store: TenantStore, person: Person, vault: Vault, collection: str
) -> Iterator[Trace]:
    """The same, of one collection's name."""
    for document in walk(documents, collection, tenant=store.tenant):
        if _tells(document, person, vault):
            path = document.path.removeprefix(f"tenants/{store.tenant}/")
            yield Trace(document, path, _is_signed_paper(collection, document))


def _tells(document: Document, person: Person, vault: Vault) -> bool:
    if person.contact_id in document.path.split("/"):
        return True
    if collection_of(document.path) == "deliveries":
        return _sealed_tells(DELIVERY.value(document.fields), person, vault)
    return bool(redacted(document.fields, person) != document.fields)


def _sealed_tells(delivery: Delivery, person: Person, vault: Vault) -> bool:
    """What a vendor sent is sealed; one that cannot be opened tells nobody anything."""
    try:
        body = delivered_body(vault, delivery)
    except PayloadError:
        return False
    text = body.decode("utf-8", "replace")
    return bool(redacted(text, person) != text)


def _is_signed_paper(collection: str, document: Document) -> bool:
    match collection:
        case "contracts":
            contract: Contract = CONTRACT.value(document.fields)
            return contract.status in SIGNED
        case "quotes":
            quote: Quote = QUOTE.value(document.fields)
            return quote.status is QuoteStatus.ACCEPTED
        case "invoice_intents":
            return document.fields.get("invoice_id") is not None
        case _:
            return False

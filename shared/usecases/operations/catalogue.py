"""Every collection there is, and the kind of its documents: what backing up, upgrading and erasing walk.

A collection that is missing here would be missing in a backup; a test holds the list against everything the product
writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.values import dataclass
from shared.records.audit import AUDIT
from shared.records.calendar import CHANNEL_SUFFIX, COPY, MEETING, OCCURRENCE, STREAM, WATCH
from shared.records.cash import (
    CHAIN_STEP,
    CONTRACT,
    DEAL,
    INTENT,
    INVOICE,
    PAYMENT,
    PIPELINE,
    QUOTE,
    STANDING,
)
from shared.records.codec import Kind
from shared.records.connections import CONNECTION, CONSENT_STATE, CREDENTIALS
from shared.records.duplicates import DUPLICATE
from shared.records.erasures import ERASURE
from shared.records.followups import PARKED, PROMISE
from shared.records.ledgers import CUSTOMER_MATCH, INTEGRATION_CALL, LEDGER_SETTINGS
from shared.records.mail import ENTRY, MESSAGE, THREAD
from shared.records.mailboxes import BACKFILL, BUCKET, CHUNK, MAIL, MAIL_STREAM, MAIL_WATCH, MAILBOX
from shared.records.numbers import COUNTER
from shared.records.organizations import ORGANIZATION
from shared.records.people import COMPANY, CONTACT, USER
from shared.records.seen import SEEN
from shared.records.signing import CONTRACT_TYPE, SIGNING_SETTINGS
from shared.records.todos import TODO
from shared.usecases.accept_delivery import DELIVERY
from shared.usecases.call_slots import SLOT


@dataclass(frozen=True, slots=True)
class Group:
    """All collections of one name. by_id: kinds of documents that are not of `kind`, by their id or the id's end.
    kind None: written field by field, without a dataclass, and at version 1."""

    kind: Kind[Any] | None = None
    by_id: Mapping[str, Kind[Any]] | None = None

    def kind_of(self, document_id: str) -> Kind[Any] | None:
        for ending, kind in (self.by_id or {}).items():
            if document_id == ending or (ending.startswith("-") and document_id.endswith(ending)):
                return kind
        return self.kind


CATALOGUE: Mapping[str, Group] = {
    "addresses": Group(),
    "audit": Group(AUDIT),
    "backfill": Group(CHUNK, {"run": BACKFILL}),
    "budget": Group(BUCKET),
    "chain": Group(CHAIN_STEP),
    "companies": Group(COMPANY),
    "connections": Group(CONNECTION),
    "contacts": Group(CONTACT),
    "contract_types": Group(CONTRACT_TYPE),
    "contracts": Group(CONTRACT),
    "copies": Group(COPY),
    "customers": Group(CUSTOMER_MATCH),
    "deal_money": Group(STANDING),
    "deliveries": Group(DELIVERY),
    "domains": Group(),
    "duplicates": Group(DUPLICATE),
    "erasures": Group(ERASURE),
    "events": Group(OCCURRENCE),
    "integration_log": Group(INTEGRATION_CALL),
    "invoice_intents": Group(INTENT),
    "invoiced_quotes": Group(),
    "invoices": Group(INVOICE),
    "keys": Group(),
    "ledgers": Group(LEDGER_SETTINGS),
    "mailboxes": Group(MAILBOX),
    "meetings": Group(MEETING),
    "messages": Group(MESSAGE),
    "numbers": Group(COUNTER),
    "oauth_states": Group(CONSENT_STATE),
    "opportunities": Group(DEAL),
    "outbox": Group(PROMISE),
    "payments": Group(PAYMENT),
    "pipelines": Group(PIPELINE),
    "quarantine": Group(PARKED),
    "quotes": Group(QUOTE),
    "routes": Group(),
    "secret": Group(CREDENTIALS),
    "seen": Group(SEEN),
    "settings": Group(ORGANIZATION),
    "signing_services": Group(SIGNING_SETTINGS),
    "slots": Group(SLOT),
    "streams": Group(STREAM, {MAIL: MAIL_STREAM, f"{MAIL}-watch": MAIL_WATCH, CHANNEL_SUFFIX: WATCH}),
    "system": Group(),
    "tasks": Group(TODO),
    "threads": Group(THREAD),
    "timeline": Group(ENTRY),
    "users": Group(USER),
    "wanted": Group(),
}


def collection_of(path: str) -> str:
    """The name of the collection a document lies in."""
    return path.rsplit("/", 2)[-2]


def unknown(paths: Iterable[str]) -> set[str]:
    """Collections of these documents that the catalogue does not name."""
    return {collection_of(path) for path in paths} - set(CATALOGUE)

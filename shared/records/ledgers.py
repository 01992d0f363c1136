"""The settings of each connected ledger, the customers mapped in it, and the log of calls."""

from __future__ import annotations

from datetime import datetime

from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.cash.mapping import CustomerMatch
from shared.domain.integration_call import KEPT_FOR, IntegrationCall
from shared.ports.documents import ID, Query, Replace, Write
from shared.records.cash import Collection
from shared.records.codec import Kind
from shared.records.store import TenantStore

LEDGER_SETTINGS: Kind[LedgerSettings] = Kind(LedgerSettings)
CUSTOMER_MATCH: Kind[CustomerMatch] = Kind(CustomerMatch)
INTEGRATION_CALL: Kind[IntegrationCall] = Kind(IntegrationCall)


def ledgers(store: TenantStore) -> Collection[LedgerSettings]:
    """By connection id."""
    return Collection(store, "ledgers", LEDGER_SETTINGS)


def customer_matches(store: TenantStore, connection_id: str) -> Collection[CustomerMatch]:
    """By our company's or contact's id. A document each: an organization may have more customers than one holds."""
    return Collection(store, f"ledgers/{connection_id}/customers", CUSTOMER_MATCH)


class IntegrationLog:
    """What was asked of vendors, kept for 30 days."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def writing(self, call: IntegrationCall) -> Write:
        """The same call twice is one row."""
        fields = {**INTEGRATION_CALL.fields(call), "expires_at": call.expires_at}
        return Replace(f"integration_log/{call.call_id}", fields)

    def newest(self, connection_id: str, now: datetime, limit: int) -> list[IntegrationCall]:
        """One query; what is older than it is kept for is left out, erased or not."""
        query = Query(
            "integration_log",
            where=(("connection_id", "==", connection_id), ("started_at", ">", now - KEPT_FOR)),
            order_by=("-started_at", f"-{ID}"),
            limit=limit,
        )
        return [INTEGRATION_CALL.value(document.fields) for document in self._store.find(query)]

"""The settings of each connected ledger."""

from __future__ import annotations

from shared.domain.cash.ledger_settings import LedgerSettings
from shared.records.cash import Collection
from shared.records.codec import Kind
from shared.records.store import TenantStore

LEDGER_SETTINGS: Kind[LedgerSettings] = Kind(LedgerSettings)


def ledgers(store: TenantStore) -> Collection[LedgerSettings]:
    """By connection id."""
    return Collection(store, "ledgers", LEDGER_SETTINGS)

"""An organization's signing connections and kinds of contract."""

from __future__ import annotations

from shared.domain.cash.contract_type import ContractType
from shared.domain.cash.signing_settings import SigningSettings
from shared.records.cash import Collection
from shared.records.codec import Kind
from shared.records.store import TenantStore

SIGNING_SETTINGS: Kind[SigningSettings] = Kind(SigningSettings)
CONTRACT_TYPE: Kind[ContractType] = Kind(ContractType)


def signing_services(store: TenantStore) -> Collection[SigningSettings]:
    """By connection id."""
    return Collection(store, "signing_services", SIGNING_SETTINGS)


def contract_types(store: TenantStore) -> Collection[ContractType]:
    return Collection(store, "contract_types", CONTRACT_TYPE)

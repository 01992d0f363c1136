"""Seal again, with the newest data key, what older ones sealed; nothing left under an old key is the proof (D8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Protocol

from shared import log
from shared.domain.cash.signing_settings import SigningSettings
from shared.domain.connection import Credentials
from shared.domain.delivery import Delivery
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.documents import Delete, Document, Documents, Query, Update
from shared.ports.secrets import Vault
from shared.ports.time import Clock, Jitter
from shared.records.connections import CONSENT_STATE, CREDENTIALS
from shared.records.signing import SIGNING_SETTINGS
from shared.records.store import TenantStore, guarded
from shared.records.walks import walk
from shared.usecases.accept_delivery import BODY, DELIVERY
from shared.usecases.access_token import ACCESS_TOKEN, REFRESH_TOKEN
from shared.usecases.cash.set_up_signing import CONNECT_KEY
from shared.usecases.connect import VERIFIER

INSTANCES_FORGET_AFTER = timedelta(minutes=15)
"""Until then a running instance may go on sealing with the key before."""


class RotatingVault(Vault, Protocol):
    """The vault, with what only its keeper asks for."""

    def rotate(self) -> int: ...

    def version_of(self, sealed: bytes) -> int: ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed value in a document: what it is bound to, and where it stands."""

    connection: str
    field: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Resealed:
    """newest: the version of the data key. sealed: values there are. resealed: by this run. left: under older keys."""

    newest: int
    sealed: int
    resealed: int
    left: int


def new_data_key(documents: Documents, store: TenantStore, *, vault: RotatingVault, clock: Clock) -> int:
    """The next data key's version; the newest one where it was made just now, so that a repeat makes no more."""
    found = documents.find(Query(f"tenants/{store.tenant}/keys", order_by=("-version",), limit=1))
    if found and clock.now() - found[0].fields["created_at"] < INSTANCES_FORGET_AFTER:
        return int(found[0].fields["version"])
    version = vault.rotate()
    log.event("data_key.made", tenant=store.tenant, version=version)
    return version


def reseal(
    documents: Documents, store: TenantStore, *, vault: RotatingVault, jitter: Jitter, dry_run: bool = False
) -> Resealed:
    """Seal again what is under an older key than the newest, document by document, each under its guard."""
    newest = newest_version(documents, store)
    sealed = resealed = 0
    for collection, sealing in _KINDS.items():
        for document in walk(documents, collection, tenant=store.tenant):
            values = list(sealing.values(document))
            sealed += len(values)
            old = [value for value in values if vault.version_of(value.value) < newest]
            if old and not dry_run:
                _reseal_one(store, document, sealing, vault, newest, jitter)
                resealed += len(old)
    left = _count_old(documents, store, vault, newest)
    if resealed:
        log.event("secrets.resealed", tenant=store.tenant, version=newest, resealed=resealed, left=left)
    return Resealed(newest, sealed, resealed, left)


def newest_version(documents: Documents, store: TenantStore) -> int:
    """0 for a tenant that never sealed anything."""
    found = documents.find(Query(f"tenants/{store.tenant}/keys", order_by=("-version",), limit=1))
    return int(found[0].fields["version"]) if found else 0


def retire_data_keys(documents: Documents, store: TenantStore, *, vault: RotatingVault, clock: Clock) -> int:
    """Delete the data keys nothing is sealed with any more; returns how many.

    Raises: InputError while something is, or while an instance may still seal with one of them.
    """
    keys = documents.find(Query(f"tenants/{store.tenant}/keys", order_by=("-version",)))
    if len(keys) < 2:
        return 0
    newest = keys[0]
    if clock.now() - newest.fields["created_at"] < INSTANCES_FORGET_AFTER:
        raise InputError(
            "The newest data key is younger than 15 minutes: instances may still seal with the one before."
        )
    left = _count_old(documents, store, vault, int(newest.fields["version"]))
    if left:
        raise InputError(f"{left} values are still sealed with an older key: re-seal them first.")
    documents.commit([Delete(key.path, key.version) for key in keys[1:]])
    log.event("data_key.retired", tenant=store.tenant, keys=len(keys) - 1)
    return len(keys) - 1


def _count_old(documents: Documents, store: TenantStore, vault: RotatingVault, newest: int) -> int:
    return sum(
        vault.version_of(value.value) < newest
        for collection, sealing in _KINDS.items()
        for document in walk(documents, collection, tenant=store.tenant)
        for value in sealing.values(document)
    )


def _reseal_one(
    store: TenantStore, found: Document, sealing: _Sealing, vault: RotatingVault, newest: int, jitter: Jitter
) -> None:
    path = found.path.removeprefix(f"tenants/{store.tenant}/")

    def again(value: Sealed) -> bytes:
        if vault.version_of(value.value) >= newest:
            return value.value
        return vault.seal(value.connection, value.field, vault.open(value.connection, value.field, value.value))

    def attempt() -> None:
        current = store.get(path)
        if current is None:
            return
        fresh = [again(value) for value in sealing.values(current)]
        if not fresh:
            return
        store.commit([Update(path, sealing.fields(fresh), current.version)])

    guarded(jitter, path, attempt)


# --------------------------------------------------------------------------------------------------- where seals stand


@dataclass(frozen=True, slots=True)
class _Sealing:
    """values: the sealed values of a document, in an order. fields: what holds them, sealed anew, in the same order."""

    values: Callable[[Document], Iterator[Sealed]]
    fields: Callable[[list[bytes]], Mapping[str, Any]]


def _tokens(document: Document) -> Iterator[Sealed]:
    credentials: Credentials = CREDENTIALS.value(document.fields)
    connection = document.path.split("/")[-3]
    yield Sealed(connection, REFRESH_TOKEN, credentials.refresh_token)
    if credentials.access_token is not None:
        yield Sealed(connection, ACCESS_TOKEN, credentials.access_token)


def _connect_keys(document: Document) -> Iterator[Sealed]:
    settings: SigningSettings = SIGNING_SETTINGS.value(document.fields)
    yield from (Sealed(document.id, CONNECT_KEY, key) for key in settings.keys)


def _body(document: Document) -> Iterator[Sealed]:
    delivery: Delivery = DELIVERY.value(document.fields)
    yield Sealed(delivery.connection_id, BODY, delivery.body)


def _verifier(document: Document) -> Iterator[Sealed]:
    yield Sealed(document.id, VERIFIER, CONSENT_STATE.value(document.fields).verifier)


_KINDS = {
    "secret": _Sealing(_tokens, lambda fresh: dict(zip(("refresh_token", "access_token"), fresh, strict=False))),
    "signing_services": _Sealing(_connect_keys, lambda fresh: {"keys": fresh}),
    "deliveries": _Sealing(_body, lambda fresh: {"body": fresh[0]}),
    "oauth_states": _Sealing(_verifier, lambda fresh: {"verifier": fresh[0]}),
}
"""Every collection in which something sealed stands."""

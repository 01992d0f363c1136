"""Change the keys a signing service signs its notices with: several are valid at once, old ones retire later (I21)."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.ids import digest
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.secrets import Vault
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.signing import signing_services
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.set_up_signing import CONNECT_KEY, MOST_KEYS

FINGERPRINT = 8


@dataclass(frozen=True, slots=True)
class ConnectKey:
    """fingerprint: names a key without telling it."""

    connection_id: str
    fingerprint: str
    newest: bool


def fingerprint(key: str) -> str:
    return digest("connect key", key)[:FINGERPRINT]


def list_connect_keys(store: TenantStore, *, vault: Vault) -> list[ConnectKey]:
    """The keys notices may be signed with, newest first."""
    return [
        ConnectKey(stored.value.connection_id, fingerprint(key), place == 0)
        for stored in signing_services(store).where(())
        for place, key in enumerate(_opened(vault, stored.value.connection_id, stored.value.keys))
    ]


def _opened(vault: Vault, connection_id: str, sealed: tuple[bytes, ...]) -> list[str]:
    return [vault.open(connection_id, CONNECT_KEY, key).decode() for key in sealed]


def add_connect_key(
    store: TenantStore, connection_id: str, key: str, *, vault: Vault, clock: Clock, jitter: Jitter, actor: str
) -> str:
    """The new key counts beside those before it; added twice it is one. Returns its fingerprint.

    Raises: NotFoundError; InputError for no key, or one too many.
    """
    if not key.strip():
        raise InputError("Give the new key on standard input: one line, nothing else.")
    new = key.strip()

    def attempt() -> None:
        stored = signing_services(store).get(connection_id)
        known = _opened(vault, connection_id, stored.value.keys)
        if new in known:
            return
        if len(known) >= MOST_KEYS:
            raise InputError(f"There are {MOST_KEYS} keys already; retire one first.")
        keys = (vault.seal(connection_id, CONNECT_KEY, new.encode()), *stored.value.keys)
        after = replace(stored.value, keys=keys)
        store.commit(
            [
                signing_services(store).updating(connection_id, after, stored.version),
                Audit(store).recording(actor, "signing.key_added", connection_id, clock.now()),
            ]
        )

    guarded(jitter, f"keys of {connection_id}", attempt)
    return fingerprint(new)


def retire_connect_key(
    store: TenantStore, connection_id: str, retired: str, *, vault: Vault, clock: Clock, jitter: Jitter, actor: str
) -> bool:
    """Take away the key with this fingerprint; False where it is gone already.

    Raises: NotFoundError; InputError for the last one.
    """

    def attempt() -> bool:
        stored = signing_services(store).get(connection_id)
        opened = _opened(vault, connection_id, stored.value.keys)
        kept = [sealed for sealed, key in zip(stored.value.keys, opened, strict=True) if fingerprint(key) != retired]
        if len(kept) == len(stored.value.keys):
            return False
        if not kept:
            raise InputError("This is the only key: without one every notice would be refused. Add the new one first.")
        after = replace(stored.value, keys=tuple(kept))
        store.commit(
            [
                signing_services(store).updating(connection_id, after, stored.version),
                Audit(store).recording(actor, "signing.key_retired", connection_id, clock.now()),
            ]
        )
        return True

    return guarded(jitter, f"keys of {connection_id}", attempt)

"""Sealed secrets: one data key per tenant, wrapped by the wrapping key, kept beside the tenant's documents.

A sealed value is format (1 byte), key version (4 bytes), nonce (12 bytes), AES-256-GCM ciphertext with its tag.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from shared.domain.ids import digest
from shared.errors import AlreadyExistsError, PayloadError
from shared.ports.documents import Create, Documents, Query
from shared.ports.marks import reads
from shared.ports.secrets import WrappingKey
from shared.ports.time import Chance, Clock

FORMAT = 1
NONCE_BYTES = 12
CACHE_FOR = timedelta(minutes=15)
CACHED_TENANTS = 100
_HEAD_BYTES = 5
_DOCUMENT_VERSION = 1


@dataclass(slots=True)
class _Keys:
    """What is known of one tenant's data keys. newest: the version that seals, 0 while unknown."""

    known_since: datetime
    newest: int = 0
    by_version: dict[int, bytes] = field(default_factory=dict, repr=False)


class DataKeyCache:
    """Unwrapped data keys of one instance, for 15 minutes and at most 100 tenants. Safe to share between threads."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, _Keys] = OrderedDict()
        self._lock = Lock()

    def key(self, tenant: str, version: int, now: datetime) -> bytes | None:
        with self._lock:
            keys = self._fresh(tenant, now)
            return keys.by_version.get(version) if keys else None

    def newest(self, tenant: str, now: datetime) -> int:
        """The version that seals; 0 if it must be looked up."""
        with self._lock:
            keys = self._fresh(tenant, now)
            return keys.newest if keys else 0

    def keep(self, tenant: str, version: int, key: bytes, now: datetime, *, is_newest: bool) -> None:
        with self._lock:
            keys = self._fresh(tenant, now) or _Keys(now)
            keys.by_version[version] = key
            if is_newest:
                keys.newest = max(keys.newest, version)
            self._tenants[tenant] = keys
            self._tenants.move_to_end(tenant)
            while len(self._tenants) > CACHED_TENANTS:
                self._tenants.popitem(last=False)

    def _fresh(self, tenant: str, now: datetime) -> _Keys | None:
        keys = self._tenants.get(tenant)
        if keys is None:
            return None
        if now - keys.known_since >= CACHE_FOR:
            del self._tenants[tenant]
            return None
        self._tenants.move_to_end(tenant)
        return keys


class EnvelopeVault:
    """The `Vault` of one tenant. cache: one for the whole instance; a vault without one keeps its own."""

    def __init__(
        self,
        documents: Documents,
        tenant: str,
        wrapping_key: WrappingKey,
        clock: Clock,
        chance: Chance,
        cache: DataKeyCache | None = None,
    ) -> None:
        self._documents = documents
        self._tenant = tenant
        self._collection = f"tenants/{tenant}/keys"
        self._wrapping_key = wrapping_key
        self._clock = clock
        self._chance = chance
        self._cache = cache or DataKeyCache()

    def seal(self, connection: str, field: str, plain: bytes) -> bytes:
        """Seal with the newest data key, which is made if the tenant has none.

        Raises: ProviderUnavailableError.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        version, key = self._newest()
        nonce = self._random_bytes()[:NONCE_BYTES]
        head = bytes([FORMAT]) + version.to_bytes(4, "big")
        return head + nonce + AESGCM(key).encrypt(nonce, plain, self._bound_to(connection, field, version))

    @reads
    def open(self, connection: str, field: str, sealed: bytes) -> bytes:
        """Raises: PayloadError if it was sealed for another tenant, connection or field, or was changed since;
        ProviderUnavailableError.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(sealed) < _HEAD_BYTES + NONCE_BYTES or sealed[0] != FORMAT:
            raise PayloadError(f"{field} of connection {connection} is not sealed in a known format")
        version = self.version_of(sealed)
        nonce, ciphertext = sealed[_HEAD_BYTES:][:NONCE_BYTES], sealed[_HEAD_BYTES + NONCE_BYTES :]
        try:
            return AESGCM(self._key(version)).decrypt(nonce, ciphertext, self._bound_to(connection, field, version))
        except InvalidTag as error:
            raise PayloadError(f"{field} of connection {connection} does not open") from error

    def rotate(self) -> int:
        """Make the next data key and return its version. What older ones sealed opens as before; instances seal with
        the new one within 15 minutes. Two that rotate at once make one key.

        Raises: ProviderUnavailableError.
        """
        version, _ = self._newest()
        version += 1
        self._keep(version, self._made(version))
        return version

    @staticmethod
    def version_of(sealed: bytes) -> int:
        """The data key's version, for whoever seals again what an old key sealed."""
        return int.from_bytes(sealed[1:_HEAD_BYTES], "big")

    def _newest(self) -> tuple[int, bytes]:
        now = self._clock.now()
        if version := self._cache.newest(self._tenant, now):
            return version, self._key(version)
        found = self._documents.find(Query(self._collection, order_by=("-version",), limit=1))
        if not found:
            version, key = 1, self._made(1)
        else:
            version = int(found[0].fields["version"])
            key = self._cache.key(self._tenant, version, now) or self._unwrapped(version, found[0].fields["wrapped"])
        self._keep(version, key)
        return version, key

    def _made(self, version: int) -> bytes:
        """Make the data key of `version`, or take the one that another has made meanwhile."""
        key = self._random_bytes()
        fields = {
            "v": _DOCUMENT_VERSION,
            "version": version,
            "wrapped": self._wrapping_key.wrap(key, self._wrapped_for(version)),
            "created_at": self._clock.now(),
        }
        try:
            self._documents.commit([Create(self._path(version), fields)])
        except AlreadyExistsError:
            return self._stored(version)
        return key

    def _key(self, version: int) -> bytes:
        key = self._cache.key(self._tenant, version, self._clock.now())
        if key is None:
            key = self._stored(version)
            self._cache.keep(self._tenant, version, key, self._clock.now(), is_newest=False)
        return key

    def _stored(self, version: int) -> bytes:
        document = self._documents.get(self._path(version))
        if document is None:
            raise PayloadError(f"tenant {self._tenant} has no data key of version {version}")
        return self._unwrapped(version, document.fields["wrapped"])

    def _unwrapped(self, version: int, wrapped: bytes) -> bytes:
        return self._wrapping_key.unwrap(wrapped, self._wrapped_for(version))

    def _keep(self, version: int, key: bytes) -> None:
        self._cache.keep(self._tenant, version, key, self._clock.now(), is_newest=True)

    def _path(self, version: int) -> str:
        return f"{self._collection}/{version}"

    def _wrapped_for(self, version: int) -> bytes:
        return wrapped_for(self._tenant, version)

    def _bound_to(self, connection: str, field: str, version: int) -> bytes:
        return digest("sealed", self._tenant, connection, field, version).encode()

    def _random_bytes(self) -> bytes:
        return base64.urlsafe_b64decode(self._chance.token() + "=")


def wrapped_for(tenant: str, version: int) -> bytes:
    """The context a tenant's data key is wrapped for: in another place it does not open."""
    return digest("data key", tenant, version).encode()

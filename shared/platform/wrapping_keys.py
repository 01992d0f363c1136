"""The key that wraps the tenants' data keys: in Cloud KMS, or in a file on a laptop."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from shared.errors import PayloadError, ProviderUnavailableError
from shared.ports.marks import reads

if TYPE_CHECKING:
    from google.cloud import kms_v1

KEY_BYTES = 32
NONCE_BYTES = 12
_TIMEOUT_S = 10.0


class KmsWrappingKey:
    """A symmetric key that never leaves Cloud KMS, which rotates it; older versions go on unwrapping.

    name: "projects/p/locations/l/keyRings/r/cryptoKeys/k".
    """

    def __init__(self, name: str, client: kms_v1.KeyManagementServiceClient | None = None) -> None:
        self._name = name
        self._given_client = client

    @reads
    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Raises: ProviderUnavailableError. Source: cloudkms.v1 cryptoKeys.encrypt."""
        from google.api_core import exceptions as google

        request = {"name": self._name, "plaintext": plain, "additional_authenticated_data": context}
        try:
            return bytes(self._client.encrypt(request, timeout=_TIMEOUT_S).ciphertext)
        except (google.ServerError, google.RetryError, google.TooManyRequests) as error:
            raise ProviderUnavailableError(f"KMS: {type(error).__name__}") from error

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises: PayloadError, ProviderUnavailableError. Source: cloudkms.v1 cryptoKeys.decrypt."""
        from google.api_core import exceptions as google

        request = {"name": self._name, "ciphertext": wrapped, "additional_authenticated_data": context}
        try:
            return bytes(self._client.decrypt(request, timeout=_TIMEOUT_S).plaintext)
        except google.InvalidArgument as error:
            raise PayloadError("wrapped with another key or context") from error
        except (google.ServerError, google.RetryError, google.TooManyRequests) as error:
            raise ProviderUnavailableError(f"KMS: {type(error).__name__}") from error

    @cached_property
    def _client(self) -> kms_v1.KeyManagementServiceClient:
        from google.cloud import kms_v1

        return self._given_client or kms_v1.KeyManagementServiceClient()


class FileWrappingKey:
    """A key in a file that its owner alone may read. For laptops and tests: who has the disk has the key."""

    def __init__(self, path: Path) -> None:
        """Raises: ValueError if the file is readable by others, or holds no key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ValueError(f"{path} can be read by others: chmod 600 {path}")
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise ValueError(f"{path} holds {len(key)} bytes where a key has {KEY_BYTES}")
        self._cipher = AESGCM(key)

    @classmethod
    def load_or_create(cls, path: Path) -> FileWrappingKey:
        """The key at `path`, made first if there is none. Processes that race here agree on one key."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # A hard link appears whole or not at all, and never replaces a key another process has made.
            with NamedTemporaryFile(dir=path.parent) as draft:
                draft.write(secrets.token_bytes(KEY_BYTES))
                draft.flush()
                with suppress(FileExistsError):
                    os.link(draft.name, path)
        return cls(path)

    @reads
    def wrap(self, plain: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise PayloadError("wrapped with another key or context") from error

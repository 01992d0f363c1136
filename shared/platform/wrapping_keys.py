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
    """Keys in a file that its owner alone may read. For laptops and tests: who has the disk has the keys.

    The last key in the file wraps, all of them unwrap. The file is read at every use, so that a key that was added or
    retired counts at once, in every process.
    """

    def __init__(self, path: Path) -> None:
        """Raises: ValueError if the file is readable by others, or holds no key."""
        self._path = path
        self._keys()

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
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._keys()[-1]).encrypt(nonce, plain, context)

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        for key in reversed(self._keys()):
            with suppress(InvalidTag, ValueError):
                return AESGCM(key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        raise PayloadError("wrapped with another key or context")

    @property
    def versions(self) -> int:
        """How many keys are valid."""
        return len(self._keys())

    def add_version(self) -> None:
        """A new key wraps from now on; those before go on unwrapping."""
        self._write([*self._keys(), secrets.token_bytes(KEY_BYTES)])

    def retire_versions(self) -> int:
        """Forget every key but the newest; returns how many. What they wrapped never opens again."""
        keys = self._keys()
        if len(keys) > 1:
            self._write(keys[-1:])
        return len(keys) - 1

    def _keys(self) -> list[bytes]:
        if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            raise ValueError(f"{self._path} can be read by others: chmod 600 {self._path}")
        content = self._path.read_bytes()
        if not content or len(content) % KEY_BYTES:
            raise ValueError(f"{self._path} holds {len(content)} bytes where a key has {KEY_BYTES}")
        return [content[start : start + KEY_BYTES] for start in range(0, len(content), KEY_BYTES)]

    def _write(self, keys: list[bytes]) -> None:
        """Whole or not at all."""
        with NamedTemporaryFile(dir=self._path.parent, delete=False) as draft:
            draft.write(b"".join(keys))
            draft.flush()
            os.fsync(draft.fileno())
        os.replace(draft.name, self._path)

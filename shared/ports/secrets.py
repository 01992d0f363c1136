"""Secrets: the key that wraps keys, and the vault that seals."""

from __future__ import annotations

from typing import Protocol

from shared.ports.marks import reads


class WrappingKey(Protocol):
    """The key that wraps tenants' data keys; Cloud KMS in the cloud, a key file on a laptop."""

    @reads
    def wrap(self, plain: bytes, context: bytes) -> bytes: ...

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises: PayloadError if the key or the context is not the one it was wrapped with."""
        ...


class Vault(Protocol):
    """Seals secrets of one tenant with AES-256-GCM, bound to connection and field."""

    def seal(self, connection: str, field: str, plain: bytes) -> bytes: ...

    @reads
    def open(self, connection: str, field: str, sealed: bytes) -> bytes: ...

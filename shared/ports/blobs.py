"""Object storage."""

from __future__ import annotations

from typing import Protocol

from shared.ports.marks import reads


class Blobs(Protocol):
    """Bytes by key, each key under "{tenant}/"."""

    def put(self, key: str, content: bytes, content_type: str) -> None: ...

    @reads
    def get(self, key: str) -> bytes:
        """Raises: NotFoundError."""
        ...

    def delete(self, key: str) -> None:
        """Delete it, absent or not."""
        ...

"""What a mailbox of the simulator is filled with: messages in memory, or where they lie in a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileSlice:
    """One message's bytes where they lie: `length` bytes of `path` from `offset`. The file must not change."""

    path: Path
    offset: int
    length: int

    def read(self, limit: int | None = None) -> bytes:
        """Return the message, or its first `limit` bytes.

        Raises:
            OSError: the file is gone, or shorter than it was.
        """
        wanted = self.length if limit is None else min(limit, self.length)
        with self.path.open("rb") as file:
            file.seek(self.offset)
            content = file.read(wanted)
        if len(content) < wanted:
            raise OSError(f"{self.path}: {wanted} bytes expected at offset {self.offset}, found {len(content)}")
        return content


Raw = bytes | FileSlice


@dataclass(frozen=True, slots=True)
class SeedMessage:
    """One message to put into a mailbox, without a push.

    Args:
        raw: RFC 822 bytes, or where they lie.
        labels: Gmail's ids for system labels (INBOX, SENT, UNREAD ...), names for a person's own.
        received_at: when Gmail accepted it, aware UTC; becomes `internalDate`.
        thread_hint: messages of one mailbox with the same hint form one thread (Takeout's X-GM-THRID); with None,
            references and subject decide.
    """

    raw: Raw
    labels: tuple[str, ...]
    received_at: datetime
    thread_hint: str | None

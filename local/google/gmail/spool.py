"""Where delivered messages lie: small ones in memory, large ones in a file that only grows."""

from __future__ import annotations

from pathlib import Path

from local.google.gmail.seed import FileSlice, Raw

IN_MEMORY_LIMIT = 64 * 1024


class Spool:
    """A file of raw messages under `folder`, begun anew by every process and by `clear`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "spool"
        self.clear()

    def keep(self, raw: bytes) -> Raw:
        """Return the message as it is, or where it lies from now on."""
        if len(raw) <= IN_MEMORY_LIMIT:
            return raw
        with self._path.open("ab") as file:
            offset = file.tell()
            file.write(raw)
        return FileSlice(self._path, offset, len(raw))

    def clear(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(b"")

"""Zips that are the same, byte for byte, wherever and whenever they are made from the same files.

Nothing is compressed: what zlib makes of a file differs between its versions. The whole is small, and what is uploaded
once by its hash is not uploaded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can tell."""

_UNIX = 3
_PLAIN_FILE = 0o100644


def archive(files: Mapping[PurePosixPath, bytes]) -> bytes:
    """A zip of the files in the order of their paths, all of one time and mode."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_STORED) as zipped:
        for path in sorted(files):
            entry = ZipInfo(str(path), EARLIEST)
            entry.create_system = _UNIX
            entry.external_attr = _PLAIN_FILE << 16
            zipped.writestr(entry, files[path])
    return written.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

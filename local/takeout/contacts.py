"""Contact exports (csv) of Google and Outlook as rows; which column means what is decided by the import, not here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from local.takeout.files import UnreadableFileError, files_named
from shared.csv_table import ContactTable, read_table
from shared.errors import InputError


def read_contacts(paths: Iterable[Path]) -> Iterator[ContactTable]:
    """Yield one table per csv file; folders are searched for *.csv.

    Raises: UnreadableFileError when a named file is binary or has no header.
    """
    for path in files_named(paths, wanted=lambda file: file.suffix.lower() == ".csv", kind="csv"):
        try:
            yield read_table(path.read_bytes())
        except InputError as error:
            raise UnreadableFileError(f"{path}: {error}") from error

"""CSV of any usual encoding and delimiter as rows: what Google, Outlook and spreadsheets save.

Which column means what is decided by the import, not here.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import InputError, TooLargeError

UPLOAD_AT_MOST = 25 * 1024 * 1024
"""Bytes; a function takes requests of 32 MB."""

_DELIMITERS = ",;\t"
_CELL_AT_MOST = 4 * 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class ContactTable:
    """One file: its header as written, and one map per row with every header name as key."""

    header: tuple[str, ...]
    rows: list[dict[str, str]]


def read_upload(stated_length: int | None, read: Callable[[int], bytes]) -> ContactTable:
    """A table from a request's body. Raises: TooLargeError by the stated size, before a byte is read; InputError."""
    if stated_length is None or stated_length > UPLOAD_AT_MOST:
        raise TooLargeError(f"an upload of {stated_length} bytes")
    return read_table(read(UPLOAD_AT_MOST))


def read_table(content: bytes) -> ContactTable:
    """The rows of a CSV file; encoding and delimiter (comma, semicolon, tab) are found out.

    Short rows are filled with "", cells beyond the header and empty rows are dropped; of two equal header names the
    first filled one wins. Raises: InputError for a binary or empty file.
    """
    text = text_of(content).lstrip("\ufeff")
    if "\0" in text:
        raise InputError(f"Byte {content.find(bytes(1))} belongs to no text: this is not a CSV file.")
    csv.field_size_limit(_CELL_AT_MOST)
    first, _, rest = text.lstrip("\r\n").partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own note about the delimiter
        delimiter, text = first.strip()[4], rest
    else:
        delimiter = _delimiter(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        cells = [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"Line {lines.line_num} cannot be read as CSV: {error}.") from error
    if not cells:
        raise InputError("The file is empty: its first line names the columns.")
    header = tuple(name.strip() for name in cells[0])
    return ContactTable(header, [_row(header, row) for row in cells[1:]])


def text_of(content: bytes) -> str:
    """Decode by byte order mark, else as UTF-16 when every other byte is zero, else UTF-8, else Windows-1252.

    Every input gives a text: bytes that Windows-1252 does not know become Latin-1 characters.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    head = content[:2000]
    if len(head) > 3 and head.count(b"\0") > len(head) // 3:
        little = head[1::2].count(b"\0") >= head[::2].count(b"\0")
        return content.decode("utf-16-le" if little else "utf-16-be", "replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _row(header: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    row = dict.fromkeys(header, "")
    for name, cell in zip(header, cells, strict=False):
        row[name] = row[name] or cell
    return row


def _delimiter(text: str) -> str:
    """The delimiter that splits the header line into the most cells."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))

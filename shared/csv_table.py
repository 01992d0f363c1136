"""CSV of any usual encoding and delimiter as rows: what Google, Outlook and spreadsheets save.

Which column means what is decided by the import, not here.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable

from shared.domain.contact_import import ROWS_AT_MOST
from shared.domain.values import dataclass
from shared.errors import InputError

UPLOAD_AT_MOST = 25 * 1024 * 1024
"""Bytes; a function takes requests of 32 MB."""

MOST_CELLS = 4_000_000
"""Rows times columns: each cell costs memory, also an empty one. An export with 80 columns may have all its rows."""

TOO_LONG = f"This file is too long: at most {ROWS_AT_MOST:,} rows are read at once. Please split it into several files."

_LONGEST_HEADER = 100_000

_DELIMITERS = ",;\t"
_CELL_AT_MOST = 4 * 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class ContactTable:
    """One file: its header as written, and one map per row with every header name as key."""

    header: tuple[str, ...]
    rows: list[dict[str, str]]


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
        cells = _filled(lines)
    except csv.Error as error:
        raise InputError(f"Line {lines.line_num} cannot be read as CSV: {error}.") from error
    if not cells:
        raise InputError("The file is empty: its first line names the columns.")
    header = tuple(name.strip() for name in cells[0])
    if len(cells) * len(header) > MOST_CELLS:  # short rows are filled
        raise InputError(TOO_LONG)
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


def _filled(lines: Iterable[list[str]]) -> list[list[str]]:
    """The rows that say something. Raises: InputError as soon as there are too many."""
    rows: list[list[str]] = []
    cells = 0
    for row in lines:
        if any(cell.strip() for cell in row):
            rows.append(row)
            cells += len(row)
        if len(rows) > ROWS_AT_MOST + 1 or cells > MOST_CELLS:
            raise InputError(TOO_LONG)
    return rows


def _row(header: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    row = dict.fromkeys(header, "")
    for name, cell in zip(header, cells, strict=False):
        row[name] = row[name] or cell
    return row


def _delimiter(text: str) -> str:
    """The delimiter that splits the header line into the most cells."""
    header = next((line for line in io.StringIO(text, newline="") if line.strip()), "").rstrip("\r\n")[:_LONGEST_HEADER]
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))

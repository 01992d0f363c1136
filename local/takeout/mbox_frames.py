"""Where one message of an mbox file begins and ends.

A separator is a line that begins with "From " and is followed by a header field. Some programs forget to quote such
lines in bodies and some forget the blank line before a separator, so a line needs a blank line before it *and* a sender
or a time, or else the exact form that Unix mail programs write (`From bob@example.com Tue Jan  2 03:04:05 2024`).
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER_LIMIT = 256 * 1024
_FORGET_EVERY = 32 * 1024 * 1024  # bytes read before the pages behind us are given back

_CANDIDATE = re.compile(rb"From [^\r\n]{0,400}\r?(?:\n|\Z)")
_EXACT = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}"
    rb" {1,2}\d{1,2}:\d\d(?::\d\d)?(?: [+-]\d{4}| [A-Z]{1,5})* \d{4}"
)
_ODD = re.compile(rb"From (?:-|\S*@\S*|MAILER[-_]DAEMON)(?:\s|\Z)|\d{1,2}[:.]\d\d(?:[:.]\d\d)?|\d{4}-\d\d-\d\d")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
_QUOTED = re.compile(rb"\n>+From ")
_BLANK = re.compile(rb"(?:\r?\n){2}\Z")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message inside its file: the separator, its header block, and where its bytes lie (separator excluded)."""

    separator: bytes
    header: bytes
    offset: int
    length: int
    quoted: bool  # some body line is written as ">From "


def starts_like_mbox(path: Path) -> bool:
    """Tell whether the file's first line, after blank lines or a byte order mark, is a separator."""
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    return head.startswith(b"From ")


def frames(path: Path) -> Iterator[Frame]:
    """Yield the messages of an mbox file in file order, holding none of them in memory.

    The file must start like an mbox, or be empty. A message that ends with the file, cut off or not, is yielded as is.
    """
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        forgotten = 0
        current: re.Match[bytes] | None = None
        for match in _separators(mapped):
            if current is not None:
                yield _frame(mapped, current, match.start())
            current = match
            if match.start() - forgotten > _FORGET_EVERY:
                forgotten = match.start() - match.start() % mmap.PAGESIZE
                mapped.madvise(mmap.MADV_DONTNEED, 0, forgotten)
        if current is not None:
            yield _frame(mapped, current, len(mapped))


def _separators(mapped: mmap.mmap) -> Iterator[re.Match[bytes]]:
    first = mapped.find(b"From ")
    position = first
    while position >= 0:
        match = _CANDIDATE.match(mapped, position)
        if match is not None and (position == first or _is_separator(mapped, match)):
            yield match
        found = mapped.find(b"\nFrom ", position)
        position = found + 1 if found >= 0 else -1


def _is_separator(mapped: mmap.mmap, match: re.Match[bytes]) -> bool:
    line = match[0]
    blank_before = _BLANK.search(mapped[max(0, match.start() - 4) : match.start()]) is not None
    exact = _EXACT.search(line) is not None
    following = mapped[match.end() : match.end() + 1024]
    if _FIELD.match(following):
        return exact or (blank_before and _ODD.search(line) is not None)
    return exact and blank_before and following[:2].lstrip(b"\r")[:1] in (b"", b"\n")


def _frame(mapped: mmap.mmap, separator: re.Match[bytes], end: int) -> Frame:
    start = separator.end()
    tail = mapped[max(start, end - 4) : end]  # a blank line after a message belongs to the format
    if tail.endswith(b"\r\n\r\n"):
        end -= 2
    elif tail.endswith(b"\n\n"):
        end -= 1
    header = mapped[start : min(end, start + HEADER_LIMIT)]
    blank = re.search(rb"\r?\n\r?\n", header)
    return Frame(
        separator=separator[0].rstrip(),
        header=header[: blank.start()] if blank else header,
        offset=start,
        length=end - start,
        quoted=_QUOTED.search(mapped, start, end) is not None,
    )

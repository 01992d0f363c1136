"""Mail exports (mbox) of Google Takeout, Thunderbird and mutt, as messages to fill a mailbox with.

Nothing is held in memory: a message is a slice of its file. Where the bytes in the file are not the message's own (a
compressed file, body lines quoted as ">From "), the true bytes are written once into a scratch file, and the slice
points there.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from pathlib import Path
from typing import IO

from local.google.gmail.seed import FileSlice, SeedMessage
from local.takeout.dates import from_line_date, parse_date, received_date
from local.takeout.files import UnreadableFileError, files_named
from local.takeout.labels import exported_labels, folder_label
from local.takeout.mbox_frames import Frame, frames, starts_like_mbox

_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_GMAIL_SEPARATOR = re.compile(rb"From (\d{15,20})@xxx ")
_MOZILLA_READ, _MOZILLA_STARRED, _MOZILLA_DELETED = 0x0001, 0x0004, 0x0008
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_COPY_BLOCK = 1024 * 1024


def read_mbox(
    paths: Iterable[Path],
    *,
    own_addresses: Collection[str],
    scratch: Path,
    now: datetime,
    report: Callable[[str], None],
) -> Iterator[SeedMessage]:
    """Yield the messages of mbox files and of folders of them, in file order.

    Args:
        own_addresses: the mailbox owner's; mail without label header is SENT when its From is one of them.
        scratch: an existing folder for rewritten bytes; it must live as long as the slices are read.
        now: aware UTC; a date more than a day after it is not believed.
        report: called with a sentence for each thing left out (deleted, without header, exported a second time).
    Yields:
        SeedMessage: labels are Gmail ids or own label names; received_at is aware UTC, from the newest Received header,
        else Date, else the separator line, else one second after the message before it; thread_hint is X-GM-THRID.
    Raises: UnreadableFileError naming file and byte offset when a named file is no mbox.
    """
    reader = _Reader(own_addresses, scratch, now, report)
    for path in files_named(paths, wanted=_is_mbox, kind="mbox"):
        yield from reader.messages(path)


def _is_mbox(path: Path) -> bool:
    if path.suffix in (".mbox", ".mbx") or path.name.endswith((".mbox.gz", ".mbx.gz")):
        return True
    return path.suffix == "" and not path.name.startswith(".") and starts_like_mbox(path)


class _Reader:
    def __init__(
        self, own_addresses: Collection[str], scratch: Path, now: datetime, report: Callable[[str], None]
    ) -> None:
        self._own = {address.strip().casefold() for address in own_addresses}
        self._scratch = scratch
        self._now = now
        self._report = report
        self._gmail_ids: set[bytes] = set()
        self._parser = BytesHeaderParser()

    def messages(self, path: Path) -> Iterator[SeedMessage]:
        source = self._decompressed(path) if path.suffix == ".gz" else path
        if source.stat().st_size and not starts_like_mbox(source):
            raise UnreadableFileError(f'{path}: byte 0 does not begin a mailbox: an mbox file starts with "From "')
        last_at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        with tempfile.NamedTemporaryFile(dir=self._scratch, prefix="unquoted-", delete=False) as spill:
            for frame in frames(source):
                message = self._message(path, source, frame, folder_label(path), last_at, spill)
                if message is not None:
                    last_at = message.received_at
                    yield message

    def _message(
        self, path: Path, source: Path, frame: Frame, folder: str | None, last_at: datetime, spill: IO[bytes]
    ) -> SeedMessage | None:
        where = f"{path}: the message at byte {frame.offset}"
        if not _FIELD.match(frame.header.removeprefix(b">")):
            self._report(f"{where} has no readable header and was left out")
            return None
        header = self._parser.parsebytes(frame.header)
        mozilla = _hex(_first(header, "X-Mozilla-Status"))
        if mozilla is not None and mozilla & _MOZILLA_DELETED:
            self._report(f"{where} was deleted in Thunderbird and was left out")
            return None
        gmail = _GMAIL_SEPARATOR.match(frame.separator)
        if gmail is not None:
            if gmail[1] in self._gmail_ids:
                self._report(f"{where} was read before from another export of the same mailbox")
                return None
            self._gmail_ids.add(gmail[1])
        return SeedMessage(
            raw=_unquoted(source, frame, spill) if frame.quoted else FileSlice(source, frame.offset, frame.length),
            labels=self._labels(header, folder, mozilla),
            received_at=self._received_at(header, frame) or last_at + timedelta(seconds=1),
            thread_hint=_first(header, "X-GM-THRID") or None,
        )

    def _labels(self, header: Message, folder: str | None, mozilla: int | None) -> tuple[str, ...]:
        exported = exported_labels(_first(header, "X-Gmail-Labels"))
        if exported.understood:
            return exported.labels
        labels = dict.fromkeys(exported.labels)
        if folder is not None:
            labels[folder] = None
        elif self._is_own(header):
            labels["SENT"] = None
        else:
            labels["INBOX"] = None
        if mozilla is not None:
            if not mozilla & _MOZILLA_READ:
                labels["UNREAD"] = None
            if mozilla & _MOZILLA_STARRED:
                labels["STARRED"] = None
        elif status := _first(header, "Status"):
            if "R" not in status.upper():
                labels["UNREAD"] = None
            if "F" in _first(header, "X-Status").upper():
                labels["STARRED"] = None
        return tuple(labels)

    def _is_own(self, header: Message) -> bool:
        senders = getaddresses([_first(header, "From")])
        return any(address.strip().casefold() in self._own for _, address in senders)

    def _received_at(self, header: Message, frame: Frame) -> datetime | None:
        for received in _values(header, "Received"):
            moment = received_date(received, now=self._now)
            if moment is not None:
                return moment
        return parse_date(_first(header, "Date"), now=self._now) or from_line_date(frame.separator, now=self._now)

    def _decompressed(self, path: Path) -> Path:
        with tempfile.NamedTemporaryFile(dir=self._scratch, prefix="unpacked-", delete=False) as target:
            try:
                with gzip.open(path) as packed:
                    while block := packed.read1(_COPY_BLOCK):  # read1: what was unpacked before a break is not lost
                        target.write(block)
            except (EOFError, OSError, zlib.error) as error:
                if target.tell() == 0:
                    raise UnreadableFileError(f"{path}: byte 0 does not begin a gzip file that can be read") from error
                self._report(f"{path}: the compressed data ends or breaks after byte {target.tell()} of the mailbox")
        return Path(target.name)


def _unquoted(source: Path, frame: Frame, spill: IO[bytes]) -> FileSlice:
    """Write the message's true bytes, one ">" less before each "From " at a line's start, and say where."""
    start = spill.seek(0, 2)
    left = frame.length
    with source.open("rb") as file:
        file.seek(frame.offset)
        while left:
            block = file.read(min(left, _COPY_BLOCK))
            if not block:
                break
            left -= len(block)
            if left:  # end the block at a line's end, so that no quoted line is cut in two
                rest = file.readline(left)
                left -= len(rest)
                block += rest
            spill.write(_QUOTED.sub(rb"\1", block))
    spill.flush()
    return FileSlice(Path(spill.name), start, spill.tell() - start)


def _values(header: Message, name: str) -> Iterator[str]:
    # raw_items keeps 8-bit bytes as surrogates, where get() would replace them
    return (str(value).strip() for key, value in header.raw_items() if key.lower() == name.lower())


def _first(header: Message, name: str) -> str:
    return next(_values(header, name), "")


def _hex(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None

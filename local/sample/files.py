"""Small real files for attachments, made from their names: a PDF of one page, a coloured PNG, a CSV of readings."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import PurePath

_PNG_SIDE = 24


@dataclass(frozen=True, slots=True)
class SampleFile:
    name: str
    content: bytes
    main_type: str
    subtype: str


def file_named(name: str) -> SampleFile:
    """Raises: ValueError for an ending other than pdf, png and csv."""
    stem, ending = PurePath(name).stem, PurePath(name).suffix
    if ending == ".pdf":
        return SampleFile(name, pdf(stem), "application", "pdf")
    if ending == ".png":
        return SampleFile(name, png(stem), "image", "png")
    if ending == ".csv":
        return SampleFile(name, readings(stem), "text", "csv")
    raise ValueError(f"the sample makes no file like {name}")


def pdf(title: str) -> bytes:
    """One A5 page with the title in Helvetica; letters beyond ASCII become question marks."""
    text = title.encode("ascii", "replace").decode().replace("(", "").replace(")", "")
    drawing = f"BT /F1 20 Tf 40 520 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    document, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(document))
    return document + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def png(title: str) -> bytes:
    """A square in a colour of its own."""
    colour = struct.pack(">I", zlib.crc32(title.encode()))[:3]
    rows = (b"\0" + colour * _PNG_SIDE) * _PNG_SIDE
    header = struct.pack(">IIBBBBB", _PNG_SIDE, _PNG_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def readings(title: str) -> bytes:
    """Ten sound levels, the same for the same title."""
    levels = (zlib.crc32(f"{title} {minute}".encode()) % 240 / 10 + 62 for minute in range(10))
    return ("minute,level_db\r\n" + "".join(f"{at},{level:.1f}\r\n" for at, level in enumerate(levels))).encode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

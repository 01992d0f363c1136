"""A small PDF writer: pages of text in Helvetica, with a cross-reference table that fits.

Source: ISO 32000-1, 7.5 (file structure) and 9.4 (text). Characters outside Latin-1 become question marks.
"""

from __future__ import annotations

from collections.abc import Sequence

LINES_PER_PAGE = 48
_WIDTH, _HEIGHT = 595, 842  # A4, in points
_MARGIN, _LEADING, _SIZE = 56, 15, 11


def pdf(lines: Sequence[str]) -> bytes:
    """A document with these lines; as many pages as they need, at least one."""
    pages = [lines[start : start + LINES_PER_PAGE] for start in range(0, len(lines), LINES_PER_PAGE)] or [[]]
    page_ids = [4 + 2 * number for number in range(len(pages))]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{n} 0 R' for n in page_ids)}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for page_id, page in zip(page_ids, pages, strict=True):
        box = f"/MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {box} /Contents {page_id + 1} 0 R >>".encode())
        drawing = _drawing(page)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing))
    return _file(objects)


def _drawing(lines: Sequence[str]) -> bytes:
    start = f"BT /F1 {_SIZE} Tf {_LEADING} TL {_MARGIN} {_HEIGHT - _MARGIN} Td"
    shown = b"\n".join(b"(" + _escaped(line) + b") Tj T*" for line in lines)
    return start.encode() + b"\n" + shown + b"\nET"


def _escaped(line: str) -> bytes:
    raw = line.encode("latin-1", "replace")
    for special in (b"\\", b"(", b")"):
        raw = raw.replace(special, b"\\" + special)
    return raw.replace(b"\r", b" ").replace(b"\n", b" ")


def _file(objects: Sequence[bytes]) -> bytes:
    content = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table_at = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    content += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table_at)
    return bytes(content)

"""A message's part tree as the Gmail API gives it.

Parts are byte ranges of the raw message, found without recursion and without copying: a 30 MB message costs one pass,
and only what is asked for is decoded.

Source: developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages, `MessagePart`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from html import unescape

from local.google.errors import Json
from local.google.gmail.headers import HeaderLine, as_gmail_tells, decode_words, split_head

MAX_DEPTH = 100
"""Deeper parts are told as one leaf."""

SNIPPET_LENGTH = 200
_NOT_TEXT = re.compile(r"<(script|style|head)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


@dataclass(slots=True)
class Part:
    """One node. `start`, `end` bound its body in the raw message; `part_id` is "" for the root, below "0", "0.1" ..."""

    part_id: str
    headers: list[HeaderLine]
    mime_type: str
    filename: str
    charset: str
    boundary: str
    encoding: str
    start: int
    end: int
    depth: int
    children: list[Part] = field(default_factory=list)

    @property
    def is_container(self) -> bool:
        return self.mime_type.startswith("multipart/")

    @property
    def is_inline_text(self) -> bool:
        return self.mime_type.startswith("text/") and not self.filename

    def walk(self) -> Iterator[Part]:
        """Yield this part and all below it, in the order of the message."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def parse(raw: bytes) -> Part:
    """Return the part tree of a message. Every input has one; a broken message has a small one."""
    root = _part(raw, "", 0, len(raw), depth=0)
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.depth >= MAX_DEPTH:
            continue
        prefix = f"{part.part_id}." if part.part_id else ""
        ranges = _child_ranges(raw, part)
        part.children = [
            _part(raw, f"{prefix}{n}", start, end, depth=part.depth + 1) for n, (start, end) in enumerate(ranges)
        ]
        waiting.extend(part.children)
    return root


def content(raw: bytes, part: Part) -> bytes:
    """Return a part's content without its transfer encoding; broken encodings give what can be read."""
    body = raw[part.start : part.end]
    if part.encoding == "base64":
        return _lenient_base64(body)
    if part.encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    return body


def text_content(raw: bytes, part: Part) -> bytes:
    """Return a text part in UTF-8 whatever its charset, as Gmail does; undecodable bytes stay as they are."""
    body = content(raw, part)
    try:
        return body.decode(part.charset or "utf-8").encode()
    except (LookupError, ValueError):
        return body


def payload(raw: bytes, root: Part, attachment_id: AttachmentId) -> Json:
    """Return the tree as `Message.payload` of format "full"."""
    told: dict[str, Json] = {}
    for part in reversed(list(root.walk())):  # children first, without recursion
        node: Json = {
            "partId": part.part_id,
            "mimeType": part.mime_type,
            "filename": part.filename,
            "headers": told_headers(part.headers),
            "body": _body(raw, part, attachment_id),
        }
        if part.children:
            node["parts"] = [told.pop(child.part_id) for child in part.children]
        told[part.part_id] = node
    return told[root.part_id]


def told_headers(lines: Sequence[HeaderLine], only: frozenset[str] | None = None) -> list[dict[str, str]]:
    """Return headers as the API lists them; `only` holds lower-case names."""
    return [
        {"name": name, "value": as_gmail_tells(name, value)}
        for name, value in lines
        if only is None or name.lower() in only
    ]


def snippet(raw: bytes, root: Part) -> str:
    """Return the first words of the text, HTML-escaped, at most 200 characters."""
    texts = [part for part in root.walk() if part.is_inline_text]
    chosen = next((part for part in texts if part.mime_type == "text/plain"), texts[0] if texts else None)
    if chosen is None:
        return ""
    text = text_content(raw, chosen)[:20_000].decode("utf-8", "replace")
    if chosen.mime_type == "text/html":
        text = unescape(_NOT_TEXT.sub(" ", text))
    return "".join(_ENTITIES.get(letter, letter) for letter in " ".join(text.split())[:SNIPPET_LENGTH])


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


class AttachmentId:
    """Makes the ids under which attachments are fetched: another one at every read, all of them valid."""

    def __init__(self) -> None:
        self._given = 0

    def make(self, part_id: str) -> str:
        self._given += 1
        return "ANGjdJ" + base64url(f"{part_id}|{self._given:012d}|attachment".encode()).rstrip("=")

    @staticmethod
    def part_id(attachment_id: str) -> str | None:
        """Return the part that an id stands for; None for an id that was never given."""
        try:
            text = base64.urlsafe_b64decode(attachment_id.removeprefix("ANGjdJ") + "==").decode()
        except ValueError:
            return None
        part_id, separator, _ = text.partition("|")
        return part_id if separator else None


def _body(raw: bytes, part: Part, attachment_id: AttachmentId) -> Json:
    if part.is_container:
        return {"size": 0}
    if part.is_inline_text:
        text = text_content(raw, part)
        return {"size": len(text), "data": base64url(text)} if text else {"size": 0}
    return {"attachmentId": attachment_id.make(part.part_id), "size": len(content(raw, part))}


def mime_type(lines: Sequence[HeaderLine]) -> str:
    """Return the media type that a header block states, "text/plain" without one."""
    return _structure(lines).get_content_type()


def _structure(lines: Sequence[HeaderLine]) -> Message:
    """The content headers alone, the first of each, for the standard library to read."""
    structure = Message()
    for name, value in lines:
        lowered = name.lower()
        if lowered in ("content-type", "content-disposition") and lowered not in structure:
            structure[lowered] = value.replace(b"\r\n", b"").decode("utf-8", "replace").replace("\n", " ").strip()
    return structure


def _part(raw: bytes, part_id: str, start: int, end: int, *, depth: int) -> Part:
    lines, body_start = split_head(raw, start, end)
    structure = _structure(lines)
    encoding = next((value for name, value in lines if name.lower() == "content-transfer-encoding"), b"")
    return Part(
        part_id=part_id,
        headers=lines,
        mime_type=structure.get_content_type(),
        filename=decode_words(_told(structure.get_filename)),
        charset=_told(structure.get_content_charset),
        boundary=_told(structure.get_boundary),
        encoding=encoding.strip().lower().decode("latin-1"),
        start=body_start,
        end=end,
        depth=depth,
    )


def _told(read: Callable[[], str | None]) -> str:
    """Read one parameter of the content headers; the standard library stumbles over some malformed RFC 2231 values."""
    try:
        return str(read() or "")
    except (LookupError, TypeError, ValueError):
        return ""


def _child_ranges(raw: bytes, part: Part) -> list[tuple[int, int]]:
    if part.mime_type == "message/rfc822" and part.encoding not in ("base64", "quoted-printable"):
        return [(part.start, part.end)]
    if not part.is_container or not part.boundary:
        return []
    delimiter = b"--" + part.boundary.encode("utf-8", "replace")
    ranges: list[tuple[int, int]] = []
    opened: int | None = None
    at = part.start
    while (found := raw.find(delimiter, at, part.end)) >= 0:
        newline = raw.find(b"\n", found, part.end)
        line_end = part.end if newline < 0 else newline + 1
        rest = raw[found + len(delimiter) : line_end].strip()
        at = line_end
        if (found > 0 and raw[found - 1 : found] != b"\n") or rest not in (b"", b"--"):
            at = found + len(delimiter)
            continue
        if opened is not None:
            ranges.append((opened, _before_line_end(raw, opened, found)))
        opened = line_end if not rest else None
        if rest:
            break
    if opened is not None:
        ranges.append((opened, part.end))
    return ranges


def _before_line_end(raw: bytes, start: int, at: int) -> int:
    """The line end before a delimiter belongs to the delimiter."""
    if at - 1 >= start and raw[at - 1 : at] == b"\n":
        at -= 1
        if at - 1 >= start and raw[at - 1 : at] == b"\r":
            at -= 1
    return at


def _lenient_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        whole = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
        return binascii.a2b_base64(whole + b"==")

"""A Gmail message resource into our words: headers, and the body out of its tree of parts.

Source: users.messages, `payload` of type MessagePart {partId, mimeType, filename, headers[{name, value}], body{size,
data, attachmentId}, parts[]}. `data` is base64url, often without padding, with the transfer encoding already undone.
Gmail converts bodies to UTF-8 and leaves the old charset in Content-Type, so the label is a hint only.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

from shared.domain.mail.body import Attachment, MailBody
from shared.domain.mail.charsets import decode_bytes
from shared.domain.mail.envelope import MailHeaders, read_headers
from shared.domain.mail.headers import Headers, decode_header_value
from shared.errors import PayloadError
from shared.providers.google import mail_html

TEXT_AT_MOST = 5 * 1024 * 1024
"""Text and HTML are read up to this size each, in UTF-8 bytes; the rest stays in the mailbox."""

TEXT_FETCHED_AT_MOST = 2 * TEXT_AT_MOST
"""Stated size up to which text that Gmail left out of a message is fetched: all of an answer lies in memory."""

_SAFE_HTML_AT_MOST = 2 * TEXT_AT_MOST  # cleaning escapes characters and marks links

ATTACHMENTS_AT_MOST = 500

_LONGEST_FILENAME = 200
_CHARSET = re.compile(r"""charset\*?\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_UNFIT_IN_FILENAMES = re.compile(r'[/\\:*?"<>|]')

# Text that is meant for programs. Other kinds of text that nobody named are read as plain text (RFC 2046, 4.1.4).
_FOR_PROGRAMS = """
    text/calendar text/css text/csv text/directory text/enriched text/javascript text/rfc822-headers text/richtext
    text/rtf text/vcard text/x-amp-html text/x-vcard text/xml
"""
_NOT_PROSE = frozenset(_FOR_PROGRAMS.split())
_USUAL_NAMES = {
    "message/rfc822": "message.eml",
    "message/delivery-status": "delivery-status.txt",
    "text/calendar": "invite.ics",
    "text/rfc822-headers": "headers.txt",
    "text/html": "attachment.html",
    "text/plain": "attachment.txt",
    "application/ms-tnef": "winmail.dat",
    "application/pdf": "attachment.pdf",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "image/gif": "image.gif",
    "image/jpeg": "image.jpg",
    "image/png": "image.png",
}


def headers_from_gmail(message: Mapping[str, Any]) -> MailHeaders:
    """The envelope of a message, read with format "metadata" or "full".

    Raises:
        PayloadError: id, threadId, internalDate or payload is missing or not what Gmail documents.
    """
    gmail_id = message.get("id")
    thread_id = message.get("threadId")
    if not isinstance(gmail_id, str) or not gmail_id:
        raise PayloadError("a message came without an id")
    if not isinstance(thread_id, str) or not thread_id:
        raise PayloadError(f"message {gmail_id} has no threadId")
    return read_headers(
        _headers(_payload(message)),
        gmail_id=gmail_id,
        gmail_thread_id=thread_id,
        internal_at=_internal_at(message),
        label_ids=[label for label in message.get("labelIds") or () if isinstance(label, str)],
        size_estimate=_size(message.get("sizeEstimate")),
    )


def text_elsewhere(message: Mapping[str, Any]) -> dict[str, str]:
    """Large text that Gmail left out of the message: part id to the attachment id it can be fetched by, right now. Text
    whose stated size is beyond TEXT_FETCHED_AT_MOST is not among it.

    Raises: PayloadError, as `body_from_gmail`.
    """
    parts = _read_parts(message)
    return {
        part.part_id: part.attachment_id
        for part in parts
        if part.is_prose and part.attachment_id and not part.data and part.size_bytes <= TEXT_FETCHED_AT_MOST
    }


def body_from_gmail(message: Mapping[str, Any], fetched: Mapping[str, str] | None = None) -> MailBody:
    """The body of a message, read with format "full".

    Args:
        fetched: part id to base64url data, for the parts named by `text_elsewhere`. Text that is neither here nor
            there is listed as an attachment, and the body says that it is truncated.
    Raises:
        PayloadError: the tree of parts or the data of a text part cannot be read; it names the part.
    """
    parts = _read_parts(message)
    for part in parts:
        part.data = part.data or (fetched or {}).get(part.part_id, "")
    texts = [_texts_of(part, message) if part.is_prose else [] for part in parts]
    for index in range(len(parts) - 1, -1, -1):  # children stand behind their parents
        if children := parts[index].children:
            texts[index] = _combined(parts[index], [texts[child] for child in children])

    text, text_cut = _cut(_plain(texts[0]), TEXT_AT_MOST)
    html, html_cut = _clean_html(texts[0])
    missing = [part for part in parts if part.is_prose and part.attachment_id and not part.data]
    attached = [part for part in parts if part.is_attachment or part in missing]
    shown = mail_html.shown_content_ids(html or "")
    return MailBody(
        text=text,
        html=html,
        attachments=tuple(_attachment(part, shown) for part in attached[:ATTACHMENTS_AT_MOST]),
        truncated=text_cut or html_cut or bool(missing) or len(attached) > ATTACHMENTS_AT_MOST,
    )


@dataclass(slots=True, eq=False)
class _Part:
    """One node of the tree. children: indexes into the list of parts. in_alternative: one rendering of several."""

    part_id: str
    mime_type: str
    filename: str
    headers: Headers
    data: str
    attachment_id: str
    size_bytes: int
    is_root: bool
    in_alternative: bool
    children: list[int] = field(default_factory=list)

    @property
    def is_multipart(self) -> bool:
        return self.mime_type.startswith("multipart/")

    @property
    def is_prose(self) -> bool:
        """Text to be read as part of the mail, not a file that happens to be text."""
        if not self.mime_type.startswith("text/") or self.mime_type in _NOT_PROSE:
            return False
        if (self.headers.first("Content-Disposition") or "").lower().startswith("attachment"):
            return False
        return not self.filename or self.is_root or self.in_alternative

    @property
    def is_attachment(self) -> bool:
        wanted_by_programs_only = self.mime_type == "text/x-amp-html"
        return not (self.is_multipart or self.is_prose or wanted_by_programs_only)


@dataclass(frozen=True, slots=True)
class _Text:
    """One stretch of the mail in the renderings its sender gave. html: as sent, one or several pieces."""

    plain: str = ""
    html: tuple[str, ...] = ()
    cut: bool = False


def _read_parts(message: Mapping[str, Any]) -> list[_Part]:
    """The tree in reading order, parents first. Attached messages are not entered."""
    parts: list[_Part] = []
    waiting: list[tuple[Any, int | None]] = [(_payload(message), None)]
    while waiting:
        resource, parent = waiting.pop()
        if not isinstance(resource, Mapping):
            raise PayloadError(f"message {message.get('id')}: a part is not an object")
        part = _part(resource, parts[parent] if parent is not None else None, message)
        if parent is not None:
            parts[parent].children.append(len(parts))
        parts.append(part)
        inner = resource.get("parts") or []
        if not isinstance(inner, list):
            raise PayloadError(
                f"message {message.get('id')}: the parts of part {part.part_id or 'root'} are not a list"
            )
        if part.is_multipart:
            waiting.extend((child, len(parts) - 1) for child in reversed(inner))
    return parts


def _part(resource: Mapping[str, Any], parent: _Part | None, message: Mapping[str, Any]) -> _Part:
    part_id = str(resource.get("partId") or "")
    body = resource.get("body") or {}
    data = body.get("data") or "" if isinstance(body, Mapping) else None
    if not isinstance(data, str):
        raise PayloadError(f"message {message.get('id')}: the body of part {part_id or 'root'} is not readable")
    mime_type = str(resource.get("mimeType") or "").strip().lower()
    if mime_type in ("", "text"):
        mime_type = "text/plain"
    return _Part(
        part_id=part_id,
        mime_type=mime_type if _MIME_TYPE.fullmatch(mime_type) else "application/octet-stream",
        filename=_filename(str(resource.get("filename") or "")),
        headers=_headers(resource),
        data=data,
        attachment_id=str(body.get("attachmentId") or ""),
        size_bytes=_size(body.get("size")),
        is_root=parent is None,
        in_alternative=parent is not None and parent.mime_type == "multipart/alternative",
    )


def _texts_of(part: _Part, message: Mapping[str, Any]) -> list[_Text]:
    content_type = part.headers.first("Content-Type") or ""
    charset = _CHARSET.search(content_type)
    text = decode_bytes(_undo_base64url(part, message), charset[1] if charset else None, maybe_utf8=True)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    if part.mime_type != "text/html":
        return [_Text(plain=text)]
    html, cut = _cut(mail_html.without_data_urls(text), TEXT_AT_MOST)
    return [_Text(html=(html,), cut=cut)]


def _combined(part: _Part, children: Sequence[list[_Text]]) -> list[_Text]:
    """Of alternatives, the first plain and the last HTML one; otherwise one after the other."""
    if part.mime_type != "multipart/alternative":
        return [text for child in children for text in child]
    plain = next((child for child in children if any(text.plain.strip() for text in child)), None)
    html = next((child for child in reversed(children) if any(text.html for text in child)), None)
    if plain is None or html is None:
        return plain or html or []
    pieces = tuple(piece for text in html for piece in _html_of(text))
    return [_Text(plain=_plain(plain), html=pieces, cut=any(text.cut for text in html))]


def _plain(texts: Sequence[_Text]) -> str:
    readable: list[str] = []
    for text in texts:
        readable.extend([text.plain] if text.plain.strip() else map(mail_html.text_of, text.html))
    return "\n".join(filter(None, readable)).strip("\n")


def _html_of(text: _Text) -> tuple[str, ...]:
    if text.html or not text.plain.strip():
        return text.html
    return (f'<div style="white-space:pre-wrap">{escape(text.plain)}</div>',)


def _clean_html(texts: Sequence[_Text]) -> tuple[str | None, bool]:
    """Safe HTML of all texts, None if the sender gave none or it cannot be shown; and whether something was lost.

    Each piece is cleaned for itself: what one leaves open cannot swallow the next.
    """
    if not any(text.html for text in texts):
        return None, False
    pieces = [piece for text in texts for piece in _html_of(text)]
    if sum(map(len, pieces)) > TEXT_AT_MOST or any(map(mail_html.is_hostile, pieces)):
        return None, True
    html = "\n".join(map(mail_html.clean, pieces))
    cut = any(text.cut for text in texts)
    return (html, cut) if len(html.encode()) <= _SAFE_HTML_AT_MOST else (None, True)


def _cut(text: str, at_most: int) -> tuple[str, bool]:
    """The first `at_most` UTF-8 bytes of `text`, without half a character, and whether that is less than all."""
    encoded = text.encode()
    return (encoded[:at_most].decode("utf-8", "ignore"), True) if len(encoded) > at_most else (text, False)


def _attachment(part: _Part, shown: frozenset[str]) -> Attachment:
    content_id = (part.headers.first("Content-ID") or "").strip("<> ") or None
    return Attachment(
        part_id=part.part_id,
        filename=part.filename or _USUAL_NAMES.get(part.mime_type, "attachment"),
        mime_type=part.mime_type,
        size_bytes=part.size_bytes,
        content_id=content_id,
        inline=content_id in shown,
    )


def _filename(written: str) -> str:
    """A name that is safe on every disk: no folders, no control or direction marks, not too long, its ending kept."""
    name = _UNFIT_IN_FILENAMES.sub("_", decode_header_value(written)).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if len(name) <= _LONGEST_FILENAME or not stem or len(ending) > 10:
        return name[:_LONGEST_FILENAME]
    return stem[: _LONGEST_FILENAME - len(ending) - 1] + dot + ending


def _undo_base64url(part: _Part, message: Mapping[str, Any]) -> bytes:
    digits = "".join(part.data.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        where = f"message {message.get('id')}: part {part.part_id or 'root'}"
        raise PayloadError(f"{where} is not base64url") from None  # the cause would quote it


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = message.get("payload")
    if not isinstance(payload, Mapping):
        raise PayloadError(f"message {message.get('id')} has no payload")
    return payload


def _headers(resource: Mapping[str, Any]) -> Headers:
    return Headers(tuple(_header_pairs(resource.get("headers"))))


def _header_pairs(fields: object) -> Iterator[tuple[str, str]]:
    for header in fields if isinstance(fields, list) else ():
        if isinstance(header, Mapping) and isinstance(header.get("name"), str):
            yield header["name"].strip(), str(header.get("value") or "")


def _internal_at(message: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(int(message["internalDate"]) / 1000, tz=UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise PayloadError(f"message {message.get('id')} has no readable internalDate") from None


def _size(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0

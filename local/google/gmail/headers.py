"""Header blocks: taken apart as bytes, told as Gmail tells them."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

_ENCODED_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[^?\s]+\?[bBqQ]\?)")
_NEEDS_QUOTES = re.compile(r'[()<>\[\]:;@\\,."]')
_ADDRESS_HEADERS = frozenset({"from", "to", "cc", "bcc", "sender", "reply-to", "resent-from", "resent-to", "resent-cc"})
_BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:\"()\[\]]+")

HeaderLine = tuple[str, bytes]
"""Name as written, and the value's bytes, still folded and encoded."""


def split_head(raw: bytes, start: int = 0, end: int | None = None) -> tuple[list[HeaderLine], int]:
    """Take a header block apart.

    Returns: the headers in their order, duplicates kept, and the offset at which the body begins. Lines that are no
    headers (an mbox's `From ` line, junk) are passed over.
    """
    end = len(raw) if end is None else end
    lines: list[HeaderLine] = []
    at = start
    while at < end:
        newline = raw.find(b"\n", at, end)
        after = end if newline < 0 else newline + 1
        line = raw[at:after].rstrip(b"\r\n")
        if not line:
            return lines, after
        if line[:1] in (b" ", b"\t"):
            if lines:
                lines[-1] = (lines[-1][0], lines[-1][1] + b"\r\n" + line)
        else:
            name, colon, value = line.partition(b":")
            if colon and name.strip() and b" " not in name.strip():
                lines.append((name.strip().decode("latin-1"), value))
        at = after
    return lines, end


def as_gmail_tells(name: str, value: bytes) -> str:
    """Return a value as the API gives it: unfolded, encoded words decoded, 8-bit bytes read as UTF-8.

    Only the line ends of a fold vanish, its white space stays. A decoded name with special characters is quoted in
    address headers, so that `=?utf-8?q?Doe=2C_Jane?= <j@x.example>` stays one address.
    """
    text = value.replace(b"\r\n", b"").replace(b"\n", b"").decode("utf-8", "replace").strip()
    return decode_words(text, quote_names=name.lower() in _ADDRESS_HEADERS)


def decode_words(text: str, *, quote_names: bool = False) -> str:
    """Decode RFC 2047 words; one with an unknown charset or broken encoding stays as it is."""
    if "=?" not in text:
        return text
    joined = _BETWEEN_WORDS.sub(r"\1", text)
    return "".join(_decoded_pieces(joined, quote_names=quote_names))


def addresses_in(value: str) -> tuple[str, ...]:
    """Return every address in a header value, lower case, in order, each once."""
    words = (word.lower().strip("'.") for word in _BETWEEN_ADDRESSES.split(value))
    return tuple(dict.fromkeys(word for word in words if word.strip("@").count("@") == 1))


def _decoded_pieces(text: str, *, quote_names: bool) -> Iterator[str]:
    at, inside_quotes = 0, False
    while found := _ENCODED_WORD.search(text, at):
        between = text[at : found.start()]
        inside_quotes ^= between.replace('\\"', "").count('"') % 2 == 1
        yield between
        charset, content, at = _run_of_words(text, found)
        try:
            decoded = content.decode(charset)
        except (LookupError, ValueError):
            decoded = text[found.start() : at]
        if inside_quotes:
            decoded = decoded.replace('"', '\\"')
        elif quote_names and _NEEDS_QUOTES.search(decoded):
            decoded = '"' + decoded.replace("\\", "\\\\").replace('"', '\\"') + '"'
        yield decoded
    yield text[at:]


def _run_of_words(text: str, first: re.Match[str]) -> tuple[str, bytes, int]:
    """Join neighbouring words of one charset before decoding: senders split multi-byte characters between them."""
    charset, content, at = first[1].split("*")[0], _word_bytes(first), first.end()
    while (following := _ENCODED_WORD.match(text, at)) and following[1].split("*")[0].lower() == charset.lower():
        content += _word_bytes(following)
        at = following.end()
    return charset, content, at


def _word_bytes(word: re.Match[str]) -> bytes:
    content = word[3].encode("utf-8", "replace")
    if word[2] in "qQ":
        return binascii.a2b_qp(content, header=True)
    try:
        return binascii.a2b_base64(content + b"==")
    except binascii.Error:
        return word[0].encode("utf-8", "replace")

"""Header fields: several of one name, folded, encoded (RFC 2047), or plainly broken. Reading never raises."""

from __future__ import annotations

import binascii
import re

from shared.domain.mail.charsets import decode_bytes, repair
from shared.domain.values import dataclass

# The text of an encoded word may hold "?" and "=" if the sender was careless, but never the start of the next word;
# each character is looked at once, whatever the input.
ENCODED_WORD = re.compile(r"=\?([^?\s=]{1,80})\?([bBqQ])\?((?:[^?=]|\?(?!=)|=(?!\?[^=]))*+)\?=")
_FOLD = re.compile(r"[\r\n]+[\t ]*")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")

# Control characters carry nothing in a header. Embedding and override marks can make a name read as something else.
_SPACED = dict.fromkeys(map(ord, "\t\r\n\v\f\x85\u2028\u2029"), " ")
_REMOVED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
_CLEAN = {**_REMOVED, **_SPACED}


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of one message or part, in order, as received. Names are compared without case."""

    pairs: tuple[tuple[str, str], ...] = ()

    def raw(self, name: str) -> tuple[str, ...]:
        """Values still folded and encoded: address lists and ids are taken apart before they are decoded."""
        wanted = name.lower()
        return tuple(value for key, value in self.pairs if key.lower() == wanted)

    def all(self, name: str) -> tuple[str, ...]:
        """Decoded values of every field called `name`."""
        return tuple(decode_header_value(value) for value in self.raw(name))

    def first(self, name: str) -> str | None:
        """Decoded value of the first field called `name`, None if there is none."""
        values = self.raw(name)
        return decode_header_value(values[0]) if values else None


def decode_header_value(raw: str) -> str:
    """One line of readable text: unfolded, encoded words decoded, without control characters.

    Neighbouring words of one charset are joined as bytes first, since many senders split inside a character.
    Source: RFC 2047 sections 2, 4 and 6.2.
    """
    text = _FOLD.sub(" ", repair(raw))
    if "=?" in text:
        text = _decode_words(text)
    return text.translate(_CLEAN).strip()


def _decode_words(text: str) -> str:
    readable: list[str] = []
    charset, waiting = "", bytearray()
    position = 0
    for word in ENCODED_WORD.finditer(text):
        gap = text[position : word.start()]
        between_words = position > 0 and not gap.strip(" \t")
        if not between_words or word[1].lower() != charset:
            readable.append(decode_bytes(bytes(waiting), charset))
            waiting.clear()
        if not between_words:
            readable.append(gap)
        charset = word[1].lower()
        waiting += _word_bytes(word[2], word[3])
        position = word.end()
    return "".join([*readable, decode_bytes(bytes(waiting), charset), text[position:]])


def _word_bytes(encoding: str, text: str) -> bytes:
    if encoding in "qQ":
        return binascii.a2b_qp(text.encode("utf-8"), header=True)
    digits = _NOT_BASE64.sub("", text)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]  # one digit alone is no byte
    return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))

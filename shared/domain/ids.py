"""Ids made from the event they stand for, so that a repeat meets the first one.

Parts are joined with their lengths, so ("ab", "c") and ("a", "bc") never make one id.
"""

from __future__ import annotations

import hashlib
import hmac

Part = str | int


def _joined(parts: tuple[Part, ...]) -> bytes:
    texts = [str(part).encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(str(len(text)).encode() + b":" + text for text in texts)


def digest(*parts: Part) -> str:
    """SHA-256 of the parts as 64 hex digits: task names, routes, outbox keys."""
    return hashlib.sha256(_joined(parts)).hexdigest()


def short_id(prefix: str, *parts: Part) -> str:
    """`prefix` and 32 hex digits. It starts with a letter, so that it can be a field name without quoting."""
    return prefix + digest(*parts)[:32]


def keyed_digest(key: bytes, *parts: Part) -> str:
    """Like `digest`, for facts that must not be guessed from their hash (a Message-ID, an erased address)."""
    return hmac.new(key, _joined(parts), hashlib.sha256).hexdigest()


LONGEST_ID_BYTES = 200
"""What is named from outside; ours are a third of that."""


def is_id(text: str) -> bool:
    """Whether a text from outside may be one segment of a document's path.

    Source: firebase.google.com/docs/firestore/quotas, "Constraints on document IDs".
    """
    reserved = text in {"", ".", ".."} or (text.startswith("__") and text.endswith("__"))
    return not reserved and "/" not in text and text.isprintable() and len(text.encode()) <= LONGEST_ID_BYTES

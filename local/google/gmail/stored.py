"""One message in a mailbox: what lists, searches and threads need at hand. Its content is read when asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.google.gmail.headers import HeaderLine, addresses_in, as_gmail_tells
from local.google.gmail.seed import FileSlice, Raw

_REPLY_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg|sv|tr|rif|ref)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_ANGLED = re.compile(r"<([^<>\s]+)>")
_MAX_REFERENCES = 20
_MAX_SUBJECT = 1_000


@dataclass(slots=True)
class StoredMessage:
    """A message.

    Args:
        id, thread_id: 16 hex digits.
        internal_ms: when Gmail accepted it, epoch milliseconds.
        history_id: of its last change.
        rfc822_id: the Message-ID without brackets, "" without one.
        senders, to, cc, bcc: lower-case addresses.
        snippet: None until it is first asked for.
    """

    id: str
    thread_id: str
    raw: Raw
    internal_ms: int
    labels: set[str]
    history_id: int
    rfc822_id: str
    senders: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    snippet: str | None = None

    @property
    def size(self) -> int:
        return self.raw.length if isinstance(self.raw, FileSlice) else len(self.raw)

    def people(self, operator: str) -> tuple[str, ...]:
        """Return the addresses that a search with from:, to:, cc: or bcc: looks at."""
        if operator == "from":
            return self.senders
        return self.to if operator == "to" else self.cc if operator == "cc" else self.bcc


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers say about identity, thread and people."""

    rfc822_id: str
    references: tuple[str, ...]
    subject: str
    senders: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]


def envelope_of(headers: list[HeaderLine]) -> Envelope:
    """Read the envelope; `subject` comes without reply and forward prefixes, lower case, white space collapsed."""
    told: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key in _WANTED:
            text = as_gmail_tells(name, value)
            told[key] = f"{told[key]}, {text}" if key in told and key not in _ONCE else told.get(key, text)
    references = _ANGLED.findall(told.get("references", "")) + _ANGLED.findall(told.get("in-reply-to", ""))
    own = _ANGLED.search(told.get("message-id", ""))
    return Envelope(
        rfc822_id=own[1] if own else told.get("message-id", "").strip("<> "),
        references=tuple(dict.fromkeys(references))[-_MAX_REFERENCES:],
        subject=" ".join(_REPLY_PREFIX.sub("", told.get("subject", "")[:_MAX_SUBJECT]).lower().split()),
        senders=addresses_in(told.get("from", "")),
        to=addresses_in(told.get("to", "")),
        cc=addresses_in(told.get("cc", "")),
        bcc=addresses_in(told.get("bcc", "")),
    )


_ONCE = frozenset({"message-id", "subject", "from"})
_WANTED = frozenset({"message-id", "references", "in-reply-to", "subject", "from", "to", "cc", "bcc"})

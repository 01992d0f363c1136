"""Message-IDs and the references between messages.

An id is kept without brackets. Its left side is compared exactly, as clients do; the domain after the last at sign is
lower-cased, because some relays rewrite its case.
"""

from __future__ import annotations

import re

from shared.domain.ids import digest
from shared.domain.mail.headers import Headers

REFERENCES_KEPT = 100
"""The oldest reference names the thread and the newest are the nearest parents; what lies between is dropped."""

_LONGEST_ID = 998  # a header line cannot be longer, by RFC 5322 section 2.1.1
_BRACKETED = re.compile(r"<([^<>]*)>")
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff<>]+")
_JUNK = ",;'"


def canonical_message_id(value: str | None) -> str | None:
    """The id in a header value, in the spelling used as a key; None if there is none. A canonical id stays as it is.

    The first bracketed text counts, so comments and phrases around it fall away. Without brackets it is the only word,
    or the first with an at sign.
    """
    text = value or ""
    bracketed = _BRACKETED.search(text)
    if bracketed:
        return _canonical(bracketed[1])
    words = [word for word in text.split() if word.strip(_JUNK)]
    if len(words) == 1:
        return _canonical(words[0])
    return next((_canonical(word) for word in words if "@" in word and not word.startswith("(")), None)


def references(headers: Headers) -> tuple[str, ...]:
    """The messages this one answers, oldest first, each once, at most REFERENCES_KEPT.

    In-Reply-To comes last, unless References already names it. The message itself is never among them.
    """
    named = [*_ids(headers.raw("References")), *_ids(headers.raw("In-Reply-To"))]
    own = {canonical_message_id(value) for value in headers.raw("Message-ID")}
    unique = tuple(dict.fromkeys(message_id for message_id in named if message_id not in own))
    if len(unique) <= REFERENCES_KEPT:
        return unique
    return (unique[0], *unique[1 - REFERENCES_KEPT :])


def fingerprint(sender: str, date: str, subject: str, *recipients: str) -> str:
    """Stands in for a missing or reused Message-ID: 64 hex digits, the same for every copy of the message.

    Recipients count as a set. White space in the subject counts as one space, since relays fold it differently.
    """
    return digest("fingerprint", sender, date, " ".join(subject.split()), *sorted(set(recipients)))


def _ids(values: tuple[str, ...]) -> list[str]:
    text = " ".join(values)
    written = _BRACKETED.findall(text)
    if not written:
        words = text.replace(",", " ").split()
        written = words if all("@" in word for word in words) else []  # a phrase may hold an address that is no id
    return [message_id for one in written if (message_id := _canonical(one))]


def _canonical(text: str) -> str | None:
    visible = _UNSEEN.sub("", text).strip(_JUNK)
    left, at, domain = visible.rpartition("@")
    if not 0 < len(visible) <= _LONGEST_ID:
        return None
    return f"{left}@{domain.lower()}" if at else visible

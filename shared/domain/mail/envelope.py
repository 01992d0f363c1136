"""What is known of a message before its body is read: enough to decide whether it is logged at all (G11, I11)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.domain.mail.addresses import Address, parse_addresses
from shared.domain.mail.headers import Headers
from shared.domain.mail.message_id import canonical_message_id, references
from shared.domain.values import dataclass

METADATA_HEADERS: tuple[str, ...] = (
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-To",
    "Resent-Cc",
    "Delivered-To",
    "Subject",
    "Date",
    "Message-ID",
    "X-Google-Original-Message-ID",
    "In-Reply-To",
    "References",
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "Precedence",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Autoreply",
    "X-Autorespond",
    "Feedback-ID",
)
"""The header names to ask a mailbox for; nothing else is looked at before the body."""

_LONGEST_SUBJECT = 1000
_OLDEST_DATE = datetime(1990, 1, 1, tzinfo=UTC)
_CLOCK_ERROR = timedelta(days=2)  # a wrong time zone and a wrong clock; beyond it the date is fiction

_ADDED_BY_GMAIL = "smtpin_added_missing@mx.google.com"
_REPLACED_BY_GMAIL = "smtpin_added_broken@mx.google.com"


@dataclass(frozen=True, slots=True)
class MailHeaders:
    """One copy of a message, in one mailbox.

    internal_at: when Gmail accepted it. size_estimate: bytes. from_: the first author. date_at: the Date header, aware
    UTC, None if missing or absurd. message_id, references: canonical, oldest reference first. list_id: it came through
    a mailing list. bulk: a list, newsletter or machine sent it. auto_submitted: a machine wrote it.
    """

    gmail_id: str
    gmail_thread_id: str
    internal_at: datetime
    label_ids: frozenset[str] = frozenset()
    size_estimate: int = 0
    from_: Address | None = None
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    resent_to: tuple[Address, ...] = ()
    resent_cc: tuple[Address, ...] = ()
    delivered_to: tuple[Address, ...] = ()
    subject: str = ""
    date_at: datetime | None = None
    message_id: str | None = None
    references: tuple[str, ...] = ()
    list_id: bool = False
    bulk: bool = False
    auto_submitted: bool = False


def read_headers(
    headers: Headers,
    *,
    gmail_id: str,
    gmail_thread_id: str,
    internal_at: datetime,
    label_ids: Iterable[str] = (),
    size_estimate: int = 0,
) -> MailHeaders:
    """Understand `headers`, any of which may be missing, doubled or broken. Never raises."""

    def addresses(name: str) -> tuple[Address, ...]:
        return tuple(parse_addresses(headers.raw(name)))

    auto_submitted = _is_auto_submitted(headers)
    return MailHeaders(
        gmail_id=gmail_id,
        gmail_thread_id=gmail_thread_id,
        internal_at=internal_at,
        label_ids=frozenset(label_ids),
        size_estimate=size_estimate,
        from_=next(iter(addresses("From")), None),
        sender=next(iter(addresses("Sender")), None),
        reply_to=addresses("Reply-To"),
        to=addresses("To"),
        cc=addresses("Cc"),
        bcc=addresses("Bcc"),
        resent_to=addresses("Resent-To"),
        resent_cc=addresses("Resent-Cc"),
        delivered_to=addresses("Delivered-To"),
        subject=(headers.first("Subject") or "")[:_LONGEST_SUBJECT],
        date_at=_date(headers.first("Date"), internal_at),
        message_id=_message_id(headers),
        references=references(headers),
        list_id=bool(headers.first("List-Id")),
        bulk=auto_submitted or _is_bulk(headers),
        auto_submitted=auto_submitted,
    )


def _message_id(headers: Headers) -> str | None:
    """The sender's id. Gmail writes one of its own where it is missing or has no brackets; every copy gets another.

    Source: "SMTPIN_ADDED_MISSING" and "SMTPIN_ADDED_BROKEN" in such ids; the broken original moves to
    X-Google-Original-Message-ID.
    """
    message_id = canonical_message_id(next(iter(headers.raw("Message-ID")), None))
    made_by = (message_id or "").lower()
    if made_by.endswith(_REPLACED_BY_GMAIL):
        return canonical_message_id(next(iter(headers.raw("X-Google-Original-Message-ID")), None))
    return None if made_by.endswith(_ADDED_BY_GMAIL) else message_id


def _date(value: str | None, internal_at: datetime) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
        date_at = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date_at if _OLDEST_DATE <= date_at <= internal_at + _CLOCK_ERROR else None


def _is_auto_submitted(headers: Headers) -> bool:
    """Source: RFC 3834 section 5 (a keyword, then parameters), and the older vendor headers for automatic replies."""
    keyword = (headers.first("Auto-Submitted") or "no").partition(";")[0].strip().lower()
    return keyword not in ("", "no") or bool(headers.first("X-Autoreply") or headers.first("X-Autorespond"))


def _is_bulk(headers: Headers) -> bool:
    """Source: RFC 2369 and 2919 (List-*), RFC 2076 (Precedence), vendors' headers for mass mail."""
    if any(headers.first(name) for name in ("List-Id", "List-Unsubscribe", "List-Post", "Feedback-ID")):
        return True
    if (headers.first("Precedence") or "").lower() in ("bulk", "list", "junk"):
        return True
    return (headers.first("X-Auto-Response-Suppress") or "none").lower() != "none"

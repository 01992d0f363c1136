"""A logged message: one row for the whole organization, however many mailboxes hold it (G14, D4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.ids import keyed_digest
from shared.domain.mail.addresses import Address, normalize, untagged
from shared.domain.mail.body import Attachment, MailBody
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail_rules import Direction, participants
from shared.domain.threads import Summary, origin_of
from shared.domain.values import dataclass

INLINE_AT_MOST = 64 * 1024
"""Longer text or HTML goes to a blob, counted in UTF-8 bytes."""

HIDDEN_FOR = timedelta(days=30)
"""A message no mailbox holds any more is hidden this long, then erased."""


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """readers: "user:share" of every holder whose copy posts it; Bcc copies never stand here (I29).

    rfc_message_id: the canonical Message-ID header. Bcc recipients are not kept: whoever reads the message would read
    them too. participant_keys: keyed digests of every participant, also hidden ones, so that a changed contact finds
    its mail (R7). text_blob, html_blob: keys of bodies too long for a document. erasing_at: when its erasure began;
    until it is gone nobody becomes its holder.
    """

    message_id: str
    thread_id: str
    origin: str
    rfc_message_id: str | None
    sent_at: datetime
    direction: Direction
    from_: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    snippet: str
    text: str | None
    html: str | None
    text_blob: str | None
    html_blob: str | None
    attachments: tuple[Attachment, ...]
    body_truncated: bool
    participants_truncated: bool
    participant_keys: tuple[str, ...]
    contact_ids: tuple[str, ...]
    company_ids: tuple[str, ...]
    readers: tuple[str, ...]
    hidden_at: datetime | None = None
    expires_at: datetime | None = None
    erasing_at: datetime | None = None


RECIPIENTS_KEPT = 200
"""More recipients than this are counted as truncated: a document has a size."""


def logged_message(
    headers: MailHeaders,
    body: MailBody,
    *,
    message_id: str,
    thread_id: str,
    direction: Direction,
    contact_ids: tuple[str, ...],
    company_ids: tuple[str, ...],
    readers: tuple[str, ...],
    index_key: bytes,
    blob_prefix: str,
) -> LoggedMessage:
    """The row of a message. Bodies over INLINE_AT_MOST are left out of it and named as blobs under `blob_prefix`."""
    people = participants(headers)
    text_fits, html_fits = fits(body.text), fits(body.html or "")
    return LoggedMessage(
        message_id=message_id,
        thread_id=thread_id,
        origin=origin_of(headers),
        rfc_message_id=headers.message_id,
        sent_at=headers.internal_at,
        direction=direction,
        from_=headers.from_,
        to=headers.to[:RECIPIENTS_KEPT],
        cc=headers.cc[:RECIPIENTS_KEPT],
        subject=headers.subject,
        snippet=body.snippet,
        text=body.text if text_fits else None,
        html=body.html if html_fits else None,
        text_blob=None if text_fits else f"{blob_prefix}/{message_id}.txt",
        html_blob=None if html_fits else f"{blob_prefix}/{message_id}.html",
        attachments=body.attachments,
        body_truncated=body.truncated,
        participants_truncated=people.truncated,
        participant_keys=participant_keys(index_key, people.people),
        contact_ids=contact_ids,
        company_ids=company_ids,
        readers=readers,
    )


def fits(text: str) -> bool:
    return len(text.encode("utf-8", "replace")) <= INLINE_AT_MOST


def participant_keys(index_key: bytes, people: Iterable[Address]) -> tuple[str, ...]:
    return tuple(sorted({participant_key(index_key, person.email) for person in people}))


def participant_key(index_key: bytes, address: str) -> str:
    return keyed_digest(index_key, "participant", untagged(normalize(address)))[:32]


def message_key(index_key: bytes, headers: MailHeaders) -> str | None:
    """What a ledger row keeps of a Message-ID; None for a message without one."""
    return key_of_message_id(index_key, headers.message_id) if headers.message_id else None


def key_of_message_id(index_key: bytes, canonical: str) -> str:
    return keyed_digest(index_key, "message-id", canonical)


def summary_of(message: LoggedMessage) -> Summary:
    """The message as threads and timelines carry it."""
    return Summary(
        message_id=message.message_id,
        origin=message.origin,
        sent_at=message.sent_at,
        direction=message.direction.value,
        sender=message.from_.email if message.from_ else "",
        sender_name=message.from_.name if message.from_ else "",
        subject=message.subject[:300],
        snippet=message.snippet,
        recipients=len(message.to) + len(message.cc),
        attachments=sum(not attachment.inline for attachment in message.attachments),
        contact_ids=message.contact_ids,
        company_ids=message.company_ids,
        readers=message.readers,
    )

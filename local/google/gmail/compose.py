"""RFC 822 messages from plain fields, for the control API and for stories in tests."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from local.google.errors import ControlError, Json


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a message; `content_id` makes it an inline image."""

    filename: str
    content: bytes
    mime_type: str = "application/octet-stream"
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class MailFields:
    """What a person would fill in. Addresses may carry names: "Jane Doe <jane@acme.example>".

    Args:
        message_id, in_reply_to, references: with angle brackets; an empty `message_id` is made up.
        headers: further (name, value) pairs, in order.
    """

    sender: str
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: Sequence[AttachedFile] = ()
    message_id: str = ""
    in_reply_to: str = ""
    references: Sequence[str] = ()
    headers: Sequence[tuple[str, str]] = ()


def build(fields: MailFields, *, sent_at: datetime, message_id: str, with_bcc: bool) -> bytes:
    """Return the message with CRLF line ends; `message_id` is used where the fields name none."""
    mail = EmailMessage(policy=SMTP.clone(utf8=False))
    mail["Date"] = sent_at
    mail["From"] = fields.sender
    for name, people in (("To", fields.to), ("Cc", fields.cc), ("Bcc", fields.bcc if with_bcc else ())):
        if people:
            mail[name] = ", ".join(people)
    mail["Subject"] = fields.subject
    mail["Message-ID"] = fields.message_id or message_id
    if fields.in_reply_to:
        mail["In-Reply-To"] = fields.in_reply_to
    if fields.references:
        mail["References"] = " ".join(fields.references)
    for name, value in fields.headers:
        mail[name] = value
    mail.set_content(fields.text)
    if fields.html:
        mail.add_alternative(fields.html, subtype="html")
    for file in fields.attachments:
        main_type, _, subtype = file.mime_type.partition("/")
        mail.add_attachment(file.content, maintype=main_type, subtype=subtype, filename=file.filename)
        if file.content_id:
            part = list(mail.iter_attachments())[-1]
            part.replace_header("Content-Disposition", f'inline; filename="{file.filename}"')
            part["Content-ID"] = f"<{file.content_id}>"
    return mail.as_bytes()


def fields_from(body: Json) -> MailFields:
    """Read the control API's JSON: the names of `MailFields`, with `from` for the sender.

    People are a string or a list; attachments {"filename", "content_base64" or "size", "mime_type"?, "content_id"?}.
    Raises:
        ControlError: there is no sender.
    """
    if not body.get("from"):
        raise ControlError("from is missing")
    return MailFields(
        sender=body["from"],
        to=_many(body.get("to")),
        cc=_many(body.get("cc")),
        bcc=_many(body.get("bcc")),
        subject=body.get("subject", ""),
        text=body.get("text", ""),
        html=body.get("html", ""),
        attachments=[_attached(spec) for spec in body.get("attachments", ())],
        message_id=body.get("message_id", ""),
        in_reply_to=body.get("in_reply_to", ""),
        references=_many(body.get("references")),
        headers=[(name, value) for name, value in body.get("headers", ())],
    )


def _many(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value or ())


def _attached(spec: Json) -> AttachedFile:
    content = base64.b64decode(spec["content_base64"]) if "content_base64" in spec else bytes(spec.get("size", 0))
    return AttachedFile(
        spec["filename"], content, spec.get("mime_type", "application/octet-stream"), spec.get("content_id", "")
    )

"""A letter of the stories as RFC 822 bytes; the same letter always gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from local.sample.files import SampleFile
from local.sample.people import Person


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as its author wrote it.

    message_id, references: without brackets, oldest first; the last reference is the message that is answered.
    sent_at: in the author's zone. invitation: an iCalendar REQUEST beside the text. attached: a letter, as a file.
    """

    sender: Person
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    subject: str
    sent_at: datetime
    message_id: str
    references: tuple[str, ...] = ()
    text: str = ""
    html: str = ""
    charset: str = "utf-8"
    files: tuple[SampleFile, ...] = ()
    inline: tuple[SampleFile, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    invitation: str = ""
    attached: Letter | None = None


def letter_bytes(letter: Letter, *, with_bcc: bool) -> bytes:
    """The message with CRLF line ends. with_bcc: the sender's own copy names whom nobody else sees."""
    mail = _message(letter, with_bcc=with_bcc)
    containers = (part for part in mail.walk() if part.is_multipart() and part.get_content_type() != "message/rfc822")
    for number, part in enumerate(containers):
        part.set_boundary(f"=_{number}_{letter.message_id.partition('@')[0]}")
    return mail.as_bytes()


def arrived(raw: bytes, email: str, at: datetime) -> bytes:
    """The message as it lies in a recipient's mailbox: delivery puts its headers on top."""
    stamp = format_datetime(at)
    trace = f"Delivered-To: {email}\r\nReceived: by mx.google.example with SMTP id s1;\r\n        {stamp}\r\n"
    return trace.encode() + raw


def quoted(letter: Letter) -> str:
    """The letter as an answer quotes it."""
    day = letter.sent_at.strftime("%d %b %Y, %H:%M")
    lines = (f"> {line}".rstrip() for line in letter.text.strip().splitlines())
    return f"\n\nOn {day}, {letter.sender.address} wrote:\n" + "\n".join(lines) + "\n"


def _message(letter: Letter, *, with_bcc: bool) -> EmailMessage:
    mail = EmailMessage(policy=SMTP.clone(utf8=False))
    mail["Date"] = letter.sent_at
    mail["From"] = letter.sender.address
    for name, people in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc if with_bcc else ())):
        if people:
            mail[name] = ", ".join(person.address for person in people)
    mail["Subject"] = letter.subject
    mail["Message-ID"] = f"<{letter.message_id}>"
    if letter.references:
        mail["In-Reply-To"] = f"<{letter.references[-1]}>"
        mail["References"] = " ".join(f"<{reference}>" for reference in letter.references)
    for name, value in letter.headers.items():
        mail[name] = value
    _add_body(mail, letter)
    for file in letter.files:
        mail.add_attachment(file.content, maintype=file.main_type, subtype=file.subtype, filename=file.name)
    if letter.attached is not None:
        mail.add_attachment(_message(letter.attached, with_bcc=False))
    return mail


def _add_body(mail: EmailMessage, letter: Letter) -> None:
    if letter.text:
        mail.set_content(letter.text, charset=letter.charset)
        if letter.html:
            mail.add_alternative(letter.html, subtype="html")
    else:
        mail.set_content(letter.html, subtype="html", charset=letter.charset)
    if letter.invitation:
        mail.add_alternative(letter.invitation, subtype="calendar", params={"method": "REQUEST"})
    if letter.inline:
        shown = mail.get_body(("html",))
        if shown is None:
            raise ValueError(f"{letter.message_id} has inline images and no HTML that shows them")
        for file in letter.inline:
            shown.add_related(
                file.content,
                file.main_type,
                file.subtype,
                cid=f"<{file.name}>",
                filename=file.name,
                disposition="inline",
            )

"""Write a mailbox that is hard to import: `python -m bench.hard_mbox FOLDER [--messages 20000] [--seed 1]`.

The same bytes for the same arguments. Beside mail.mbox lies contacts.csv; import both with
`make run MBOX=FOLDER/mail.mbox CONTACTS=FOLDER/contacts.csv ME=me@example.com ONCE=1`.
"""

from __future__ import annotations

import argparse
import base64
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

ME = "me@example.com"
CONTACTS = 200
STRANGERS = 2_000
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
SPAN = timedelta(days=170)
HUGE = 30_000_000
"""Bytes of the two largest messages' attachments."""

WORDS = ("offer", "invoice", "meeting", "draft", "answer", "delivery", "question", "order", "report", "plan", "thanks")


@dataclass
class Writer:
    """What the messages written so far leave behind: ids to answer and to repeat."""

    dice: random.Random
    ids: list[tuple[str, str]] = field(default_factory=list)
    number: int = 0

    def message(self, at: datetime) -> bytes:
        self.number += 1
        kind = self.dice.choices(KINDS, WEIGHTS)[0]
        return kind(self, at)

    def people(self) -> tuple[str, str]:
        """Sender and recipient; a quarter was sent by the mailbox's owner."""
        known = self.dice.random() < 0.4
        other = f"c{self.dice.randrange(CONTACTS)}@customer.example" if known else stranger(self.dice)
        return (ME, other) if self.dice.random() < 0.25 else (other, ME)

    def head(self, at: datetime, *more: str, subject: str = "", message_id: str | None = None) -> bytes:
        sender, to = self.people()
        own = f"<{self.number}.{self.dice.getrandbits(40):x}@mail.example>" if message_id is None else message_id
        subject = subject or " ".join(self.dice.choices(WORDS, k=4))
        lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", f"Date: {format_datetime(at)}"]
        lines += [f"Message-ID: {own}"] if own else []
        if own:
            self.ids.append((own, subject))
        return "\n".join((*lines, *more)).encode() + b"\n"

    def text(self) -> bytes:
        lines = [" ".join(self.dice.choices(WORDS, k=9)) for _ in range(self.dice.randrange(2, 30))]
        return "\n".join(lines).encode() + b"\n"


def stranger(dice: random.Random) -> str:
    return f"s{dice.randrange(STRANGERS)}@stranger{dice.randrange(300)}.example"


# ------------------------------------------------------------------------------------------------- kinds of messages


def plain(writer: Writer, at: datetime) -> bytes:
    return writer.head(at) + b"\n" + writer.text()


def answer(writer: Writer, at: datetime) -> bytes:
    if not writer.ids:
        return plain(writer, at)
    parent, subject = writer.dice.choice(writer.ids[-400:])
    links = (f"In-Reply-To: {parent}", f"References: {parent}")
    return writer.head(at, *links, subject=f"Re: {subject.removeprefix('Re: ')}") + b"\n> quoted\n" + writer.text()


def html(writer: Writer, at: datetime) -> bytes:
    body = b"<html><body><p>" + writer.text().replace(b"\n", b"<br>") + b"<img src=http://track.example/p.gif></p>"
    return writer.head(at, "MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8") + b"\n" + body + b"\n"


def with_attachment(writer: Writer, at: datetime) -> bytes:
    return _mixed(writer, at, writer.dice.randbytes(writer.dice.randrange(1_000, 40_000)))


def huge(writer: Writer, at: datetime) -> bytes:
    return _mixed(writer, at, writer.dice.randbytes(1_000) * (HUGE // 1_000))


def _mixed(writer: Writer, at: datetime, attachment: bytes) -> bytes:
    kind = 'Content-Type: multipart/mixed; boundary="b"'
    return (
        writer.head(at, "MIME-Version: 1.0", kind)
        + b"\n--b\nContent-Type: text/plain\n\n"
        + writer.text()
        + b'--b\nContent-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n\n'
        + base64.encodebytes(attachment)
        + b"--b--\n"
    )


def without_id(writer: Writer, at: datetime) -> bytes:
    return writer.head(at, message_id="") + b"\n" + writer.text()


def repeated_id(writer: Writer, at: datetime) -> bytes:
    """Another mail under an id that is taken."""
    if not writer.ids:
        return plain(writer, at)
    return writer.head(at, message_id=writer.dice.choice(writer.ids)[0]) + b"\n" + writer.text()


def without_date(writer: Writer, _at: datetime) -> bytes:
    head = writer.head(UNTIL)
    return b"\n".join(line for line in head.split(b"\n") if not line.startswith(b"Date:")) + b"\n" + writer.text()


def broken_date(writer: Writer, at: datetime) -> bytes:
    return writer.head(at).replace(b"Date: ", b"Date: 31 Febtember ") + b"\n" + writer.text()


def eight_bit(writer: Writer, at: datetime) -> bytes:
    head = writer.head(at).replace(b"Subject: ", b"Subject: Gr\xfc\xdfe \xff ").replace(b"From: ", b"From: J\xf6rg ")
    return head + b"\nGr\xfc\xdfe\n" + writer.text()


def lying_charset(writer: Writer, at: datetime) -> bytes:
    charset = writer.dice.choice(["klingon", "utf-8", "us-ascii", "unicode-1-1-utf-7", "x-unknown"])
    head = writer.head(at, f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: 8bit")
    return head + b"\n\x80\xe9\xff" + writer.text()


def deep(writer: Writer, at: datetime) -> bytes:
    """Thirty multiparts within each other."""
    head = writer.head(at, "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=d0")
    opened = b"".join(
        f"\n--d{level}\nContent-Type: multipart/mixed; boundary=d{level + 1}\n".encode() for level in range(30)
    )
    return head + opened + b"\n--d30\nContent-Type: text/plain\n\n" + writer.text() + b"--d30--\n"


def truncated(writer: Writer, at: datetime) -> bytes:
    kind = "Content-Type: multipart/alternative; boundary=never"
    return writer.head(at, "MIME-Version: 1.0", kind) + b"\n--never\nContent-Type: text/plain\n\n" + writer.text()[:40]


def separator_in_body(writer: Writer, at: datetime) -> bytes:
    return writer.head(at) + b"\n" + writer.text() + b"From here on it looks like a new mail\n" + writer.text()


def crowded(writer: Writer, at: datetime) -> bytes:
    people = ",\n ".join(stranger(writer.dice) for _ in range(600))
    return writer.head(at, f"Cc: {people}") + b"\n" + writer.text()


def long_lines(writer: Writer, at: datetime) -> bytes:
    return writer.head(at, "X-Long: " + "x" * 20_000) + b"\n" + writer.text().replace(b"\n", b" ") * 40 + b"\n"


def newsletter(writer: Writer, at: datetime) -> bytes:
    head = writer.head(at, "List-Id: <news.stranger.example>", "List-Unsubscribe: <mailto:leave@stranger.example>")
    return head + b"\n" + writer.text()


KINDS: list[Callable[[Writer, datetime], bytes]] = [
    plain, answer, html, with_attachment, without_id, repeated_id, without_date, broken_date, eight_bit, lying_charset,
    deep, truncated, separator_in_body, crowded, long_lines, newsletter,
]  # fmt: skip
WEIGHTS = [30, 30, 12, 5, 2, 2, 2, 1, 3, 3, 1, 1, 1, 0.2, 0.3, 7]


def messages(count: int, seed: int) -> Iterator[tuple[datetime, bytes]]:
    """In the order of their arrival, as an export has them."""
    writer = Writer(random.Random(seed))
    for number in range(count):
        at = UNTIL - SPAN * ((count - number) / count)
        yield at, huge(writer, at) if number in (count // 3, 2 * count // 3) else writer.message(at)


def write_mbox(folder: Path, count: int, seed: int) -> Path:
    """Line ends are LF, body lines that begin with "From " are quoted, as Takeout and mutt do."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mail.mbox").open("wb") as out:
        for number, (at, raw) in enumerate(messages(count, seed)):
            out.write(f"From {number:016}@xxx {at:%a %b %d %H:%M:%S +0000 %Y}\n".encode())
            out.write(raw.replace(b"\nFrom ", b"\n>From ") + b"\n")
    rows = [f"c{number}@customer.example,C{number},Customer" for number in range(CONTACTS)]
    (folder / "contacts.csv").write_text("\n".join(("Email,First name,Last name", *rows, "")))
    return folder / "mail.mbox"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hard_mbox", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    written = write_mbox(arguments.folder, arguments.messages, arguments.seed)
    print(f"{written}: {arguments.messages:,} messages, {written.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()

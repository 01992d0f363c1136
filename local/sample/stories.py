"""Reads mail/*.yaml: threads told as stories, into every mailbox's copies and what is expected of each.

A message stands in the mailbox of each user it is from (label SENT), to, cc or bcc (INBOX), unless `held_by` says
otherwise. It answers the message above it, unless `answers` names another or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import yaml

from local.google.gmail.headers import as_gmail_tells, split_head
from local.google.gmail.seed import SeedMessage
from local.google.gmail.stored import envelope_of
from local.sample.files import file_named
from local.sample.letters import Letter, arrived, letter_bytes, quoted
from local.sample.model import Expected, Outcome
from local.sample.moments import days_ago
from local.sample.people import Cast, Person, Row
from shared.domain.ledger import Rule

_THREAD = {"thread", "subject", "contacts", "mail"}
_PLACE = {"id", "at", "received", "held_by", "labels", "expect", "contacts", "shows"}
_RAW = {"raw", *_PLACE}
_WRITTEN = {
    *(
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "text",
        "html",
        "charset",
        "headers",
        "message_id",
        "answers",
        "references",
    ),
    *("signed", "quote", "files", "inline", "invitation", "attached_mail"),
    *_PLACE,
}
_DELIVERY_TAKES = timedelta(seconds=4)
_NEW_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Copy:
    """One mailbox's copy of a message, and what is to become of it."""

    seed: SeedMessage
    expected: Expected


@dataclass(frozen=True, slots=True)
class Stories:
    """invitations: iCalendar texts by the name of the meeting they invite to."""

    cast: Cast
    folder: Path
    now: datetime
    invitations: Mapping[str, str]

    def copies(self) -> Iterator[Copy]:
        """Raises: ValueError for a story that says what nobody understands."""
        for path in sorted(self.folder.glob("*.yaml")):
            for thread in yaml.safe_load(path.read_text(encoding="utf-8")):
                _refuse_unknown(thread, _THREAD, path.name)
                yield from self._thread(thread)

    def _thread(self, thread: Row) -> Iterator[Copy]:
        told: dict[str, Letter] = {}
        for number, row in enumerate(thread["mail"], start=1):
            name = row.get("id", f"m{number}")
            key = f"{thread['thread']}/{name}"
            _refuse_unknown(row, _RAW if "raw" in row else _WRITTEN, key)
            if "raw" in row:
                yield from self._raw_copies(key, thread, row)
            else:
                told[name] = letter_of(row, thread, name, told, self.cast, days_ago(row["at"], self.now))
                if "invitation" in row:
                    told[name] = replace(told[name], invitation=self.invitations[row["invitation"]])
                yield from self._letter_copies(key, thread, row, told[name])

    def _letter_copies(self, key: str, thread: Row, row: Row, letter: Letter) -> Iterator[Copy]:
        received_at = self._received_at(row)
        for user, labels in self._holders(row, letter).items():
            raw = letter_bytes(letter, with_bcc="SENT" in labels)
            if "SENT" not in labels:
                raw = arrived(raw, self.cast.users[user].email, received_at)
            yield self._copy(key, thread, row, user, SeedMessage(raw, labels, received_at, None))

    def _raw_copies(self, key: str, thread: Row, row: Row) -> Iterator[Copy]:
        stamp = format_datetime(days_ago(row["at"], self.now)).encode()
        raw = (self.folder / "raw" / row["raw"]).read_bytes().replace(b"\n", b"\r\n").replace(b"{{date}}", stamp)
        received_at = self._received_at(row)
        for user, labels in row["held_by"].items():
            copy = arrived(raw, self.cast.users[user].email, received_at)
            yield self._copy(key, thread, row, user, SeedMessage(copy, tuple(labels), received_at, None))

    def _received_at(self, row: Row) -> datetime:
        return days_ago(row.get("received", row["at"]), self.now) + _DELIVERY_TAKES

    def _holders(self, row: Row, letter: Letter) -> dict[str, tuple[str, ...]]:
        if "held_by" in row:
            holders = {user: list(labels) for user, labels in row["held_by"].items()}
        else:
            holders = {}
            sender = self.cast.user_behind(letter.sender.email)
            if sender:
                holders[sender] = ["SENT"]
            new = ["UNREAD"] if self.now - letter.sent_at < _NEW_FOR else []
            for person in (*letter.to, *letter.cc, *letter.bcc):
                recipient = self.cast.user_behind(person.email)
                if recipient and recipient not in holders:
                    holders[recipient] = ["INBOX", *new]
        return {user: tuple(row.get("labels", {}).get(user, labels)) for user, labels in holders.items()}

    def _copy(self, key: str, thread: Row, row: Row, user: str, seed: SeedMessage) -> Copy:
        if not isinstance(seed.raw, bytes):
            raise TypeError(f"{key} is not in memory")
        head, _ = split_head(seed.raw)
        subject = next((as_gmail_tells(name, value) for name, value in head if name.lower() == "subject"), "")
        outcome, rule = outcome_of(key, row.get("expect", "logged"), user)
        on_timelines = outcome is Outcome.LOGGED
        expected = Expected(
            key=key,
            mailbox=self.cast.users[user].email,
            received_at=seed.received_at,
            message_id=envelope_of(head).rfc822_id or None,
            subject=subject,
            outcome=outcome,
            rule=rule,
            contacts=self.cast.emails(row.get("contacts", thread.get("contacts", []))) if on_timelines else (),
            shows=tuple(row.get("shows", ())),
        )
        return Copy(seed, expected)


def letter_of(row: Row, thread: Row, name: str, told: Mapping[str, Letter], cast: Cast, sent_at: datetime) -> Letter:
    """The message a row describes.

    Args:
        told: the thread's earlier messages by name; the last of them is answered if the row names none.
        sent_at: aware; the author's clock shows it in their own zone.
    """
    sender = cast.person(row["from"])
    answered = _answered(row, told)
    return Letter(
        sender=sender,
        to=_people(row.get("to", ()), cast),
        cc=_people(row.get("cc", ()), cast),
        bcc=_people(row.get("bcc", ()), cast),
        subject=row.get("subject") or (f"Re: {thread['subject']}" if answered else thread["subject"]),
        sent_at=sent_at.astimezone(sender.zone),
        message_id=row.get("message_id") or f"{thread['thread']}.{name}@{sender.domain}",
        references=_references(row, answered),
        text=_text(row, sender, answered),
        html=row.get("html", ""),
        charset=row.get("charset", "utf-8"),
        files=tuple(file_named(file) for file in row.get("files", ())),
        inline=tuple(file_named(file) for file in row.get("inline", ())),
        headers=row.get("headers", {}),
        attached=told[row["attached_mail"]] if "attached_mail" in row else None,
    )


def outcome_of(key: str, expect: str | Mapping[str, str], user: str) -> tuple[Outcome, Rule | None]:
    """Read "logged", "own_record", "unlisted", or the rule that leaves it out. Raises: ValueError, KeyError."""
    word = expect if isinstance(expect, str) else expect[user]
    if word in set(Outcome) - {Outcome.LEFT_OUT}:
        return Outcome(word), None
    if word not in set(Rule):
        raise ValueError(f"{key}: {word} is neither an outcome nor a rule")
    return Outcome.LEFT_OUT, Rule(word)


def _answered(row: Row, told: Mapping[str, Letter]) -> Letter | None:
    wanted = row.get("answers", next(reversed(list(told)), "none"))
    return None if wanted == "none" else told[wanted]


def _references(row: Row, answered: Letter | None) -> tuple[str, ...]:
    if answered is None:
        return ()
    whole_chain = row.get("references", "full") == "full"
    return (*(answered.references if whole_chain else ()), answered.message_id)


def _text(row: Row, sender: Person, answered: Letter | None) -> str:
    text = str(row.get("text", ""))
    if row.get("signed"):
        text = text.rstrip() + "\n\n-- \n" + sender.signature.replace(" | ", "\n") + "\n"
    if row.get("quote") and answered is not None:
        text = text.rstrip() + quoted(answered)
    return text


def _people(names: Sequence[str], cast: Cast) -> tuple[Person, ...]:
    return tuple(cast.person(name) for name in names)


def _refuse_unknown(row: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = row.keys() - known
    if unknown:
        raise ValueError(f"{where}: nobody reads {', '.join(sorted(unknown))}")

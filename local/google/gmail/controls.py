"""What the control API can do in mailboxes: `POST /control/gmail/<action>` with a JSON object.

Times are ISO 8601 with an offset. Wherever a message is meant, `email` names the mailbox and `id` the message.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from local.google.errors import ControlError, Json
from local.google.gmail.compose import fields_from
from local.google.gmail.model import Gmail
from local.google.gmail.seed import SeedMessage
from local.google.gmail.stored import StoredMessage
from local.takeout.files import UnreadableFileError
from local.takeout.mbox import read_mbox

Action = Callable[[Json], Json | None]


def controls_of(gmail: Gmail, scratch: Path) -> Mapping[str, Action]:
    """Return action name -> handler; `scratch` is the folder where seeding may put rewritten mail."""
    return {
        "deliver": lambda body: _deliver(gmail, body),
        "send": lambda body: _send(gmail, body),
        "draft": lambda body: _draft(gmail, body),
        "draft-send": lambda body: _draft_send(gmail, body),
        "labels": lambda body: gmail.relabel(
            _email(body), _id(body), add=body.get("add", ()), remove=body.get("remove", ())
        ),
        "trash": lambda body: gmail.relabel(_email(body), _id(body), add=["TRASH"], remove=["INBOX"]),
        "untrash": lambda body: gmail.relabel(_email(body), _id(body), remove=["TRASH"]),
        "spam": lambda body: gmail.relabel(_email(body), _id(body), add=["SPAM"], remove=["INBOX"]),
        "unspam": lambda body: gmail.relabel(_email(body), _id(body), add=["INBOX"], remove=["SPAM"]),
        "delete": lambda body: gmail.delete(_email(body), _id(body)),
        "expire-history": lambda body: gmail.mailbox(_email(body)).expire_history(),
        "lapse-watch": lambda body: gmail.lapse_watch(_email(body)),
        "pushes": lambda body: _pushes(gmail, body),
        "mailbox": lambda body: _mailbox(gmail, body),
        "seed": lambda body: _seed(gmail, body, scratch),
    }


def _deliver(gmail: Gmail, body: Json) -> Json:
    """{"raw_base64", "email"} for raw bytes at one mailbox; else mail fields, to every mailbox among the recipients.

    Also "labels" (default INBOX, UNREAD) and "at" (default now).
    """
    labels, at = body.get("labels", ["INBOX", "UNREAD"]), _time(body)
    if "raw_base64" in body:
        try:
            raw = base64.b64decode(body["raw_base64"], validate=True)
        except binascii.Error as malformed:
            raise ControlError("raw_base64 is not base64") from malformed
        return _told({_email(body): gmail.deliver(_email(body), raw, labels=labels, at=at)})
    copies = gmail.deliver_fields(fields_from(body), labels=labels, at=at)
    if not copies:
        raise ControlError("no recipient has a mailbox here")
    return _told(copies)


def _send(gmail: Gmail, body: Json) -> Json:
    """Mail fields, plus "email" of the sender; "deliver": false leaves the recipients without their copies."""
    fields = fields_from({"from": body.get("email"), **body})
    return _told(gmail.send(_email(body), fields, at=_time(body), deliver=body.get("deliver", True)))


def _draft(gmail: Gmail, body: Json) -> Json:
    """Mail fields, plus "email"; "replaces" holds the id of the draft's earlier version."""
    fields = fields_from({"from": body.get("email"), **body})
    return _told({_email(body): gmail.draft(_email(body), fields, replaces=body.get("replaces"))})


def _draft_send(gmail: Gmail, body: Json) -> Json:
    """A draft {"email", "id"} becomes a sent message with a new id; give the mail fields again."""
    gmail.delete(_email(body), _id(body))
    return _send(gmail, body)


def _pushes(gmail: Gmail, body: Json) -> Json:
    """{"next": "drop" | "duplicate" | "delay" | "reorder", "times"?, "delay_s"?}, or {} to read the counts alone."""
    if "next" in body:
        gmail.pushes.disturb(body["next"], int(body.get("times", 1)), float(body.get("delay_s", 0)))
    return {"counts": dict(gmail.pushes.counts)}


def _mailbox(gmail: Gmail, body: Json) -> Json:
    """Everything the mailbox holds, for tests that compare: ids, threads, labels, Message-IDs."""
    mailbox = gmail.mailbox(_email(body))
    return {
        "history_id": mailbox.history_id,
        "label_names": mailbox.label_names,
        "messages": [
            {
                "id": message.id,
                "thread_id": message.thread_id,
                "labels": sorted(message.labels),
                "rfc822_id": message.rfc822_id,
                "internal_ms": message.internal_ms,
            }
            for message in mailbox.newest_first(None)
        ],
    }


def _seed(gmail: Gmail, body: Json, scratch: Path) -> Json:
    """Fill the mailbox "email" without notifications, from mbox files or folders {"paths": [...]}, or from
    {"messages": [{"raw_base64", "labels", "received_at", "thread_hint"?}]}. What was left out comes back as sentences.
    """
    email, left_out = _email(body), list[str]()
    account = gmail.accounts.get(email)
    if account is None:
        raise ControlError(f"{email} has no mailbox")
    if "paths" in body:
        scratch.mkdir(parents=True, exist_ok=True)
        own = [email, *(alias.email for alias in account.aliases)]
        paths = [Path(path) for path in body["paths"]]
        messages = read_mbox(paths, own_addresses=own, scratch=scratch, now=gmail.now(), report=left_out.append)
    else:
        messages = (_seed_message(row) for row in body.get("messages", ()))
    try:
        return {"added": gmail.seed(email, messages), "left_out": left_out}
    except UnreadableFileError as unreadable:
        raise ControlError(str(unreadable)) from unreadable


def _seed_message(row: Json) -> SeedMessage:
    received_at = datetime.fromisoformat(_required(row, "received_at"))
    raw = base64.b64decode(_required(row, "raw_base64"))
    return SeedMessage(raw, tuple(row.get("labels", ())), received_at, row.get("thread_hint"))


def _told(copies: Mapping[str, StoredMessage]) -> Json:
    return {
        "messages": {
            address: {
                "id": message.id,
                "thread_id": message.thread_id,
                "rfc822_id": message.rfc822_id,
                "history_id": message.history_id,
            }
            for address, message in copies.items()
        }
    }


def _email(body: Json) -> str:
    return _required(body, "email").lower()


def _id(body: Json) -> str:
    return _required(body, "id")


def _required(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} is missing")
    return value


def _time(body: Json) -> datetime | None:
    text = body.get("at")
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ControlError("at needs an offset, for example 2026-11-22T10:00:00Z")
    return at

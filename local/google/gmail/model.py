"""Gmail as one object: every mailbox, what the API answers about it, and what people do in it.

No sockets, no threads, no clock of its own: a simulation drives it directly. Answers have the shapes of the discovery
document; refusals are ApiError.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from local.google.accounts import Account
from local.google.clock import Now, epoch_ms
from local.google.errors import ApiError, Json, invalid_argument, not_found
from local.google.gmail import mime
from local.google.gmail.compose import MailFields, build
from local.google.gmail.headers import addresses_in, split_head
from local.google.gmail.mailbox import SYSTEM_LABELS, HistoryRecord, Mailbox
from local.google.gmail.pushes import WATCH_LIFETIME, Pushes, Watch
from local.google.gmail.query import Query, parse_query
from local.google.gmail.seed import FileSlice, Raw, SeedMessage
from local.google.gmail.stored import StoredMessage
from local.google.service import Publish, PublishError, repeatable

Format = Literal["minimal", "metadata", "full", "raw"]

MAX_PAGE = 500


@dataclass(slots=True)
class Gmail:
    """All mailboxes.

    Args:
        keep: puts a new message's bytes where they shall lie; the default keeps them in memory.
    """

    now: Now
    publish: Publish
    chance: random.Random
    keep: Callable[[bytes], Raw] = lambda raw: raw
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    pushes: Pushes = field(init=False)
    _attachment_ids: mime.AttachmentId = field(default_factory=mime.AttachmentId)

    def __post_init__(self) -> None:
        self.pushes = Pushes(self.now, self.publish)

    def open(self, account: Account) -> Mailbox:
        """Give a person an empty mailbox."""
        self.accounts[account.email] = account
        mailbox = self.mailboxes[account.email] = Mailbox(account.email, repeatable(self.chance.random()))
        return mailbox

    def mailbox(self, address: str) -> Mailbox:
        """Raises: ApiError 400, the account has no mailbox."""
        if mailbox := self.mailboxes.get(address):
            return mailbox
        raise ApiError(400, "failedPrecondition", "Mail service not enabled", status_name="FAILED_PRECONDITION")

    # ------------------------------------------------------------------------------------------ what the API answers

    def profile(self, address: str) -> Json:
        mailbox = self.mailbox(address)
        return {
            "emailAddress": address,
            "messagesTotal": len(mailbox.messages),
            "threadsTotal": len(mailbox.threads),
            "historyId": str(mailbox.history_id),
        }

    def start_watch(self, address: str, *, topic: str, label_ids: Sequence[str] = (), exclude: bool = False) -> Json:
        """Raises: ApiError when the topic's name is malformed or the topic does not take the first notification."""
        mailbox = self.mailbox(address)
        pieces = topic.split("/")
        if len(pieces) != 4 or pieces[0] != "projects" or pieces[2] != "topics" or not all(pieces):
            raise invalid_argument("Invalid topicName does not match projects/*/topics/*")
        mailbox.require_labels(label_ids)
        watch = Watch(topic, tuple(label_ids), exclude, self.now() + WATCH_LIFETIME)
        try:
            self.pushes.start(address, watch, mailbox.history_id)
        except PublishError as failure:
            raise not_found(f"Error sending test message to Cloud PubSub {topic} : Resource not found.") from failure
        return {"historyId": str(mailbox.history_id), "expiration": str(epoch_ms(watch.expires_at))}

    def stop_watch(self, address: str) -> None:
        self.pushes.stop(self.mailbox(address).address)

    def list_messages(
        self,
        address: str,
        *,
        q: str = "",
        label_ids: Sequence[str] = (),
        include_spam_trash: bool = False,
        limit: int = 100,
        page_token: str = "",
    ) -> Json:
        """One page of ids, newest first. A token belongs to its query; new mail does not shift later pages."""
        mailbox = self.mailbox(address)
        _require_page_size(limit)
        mailbox.require_labels(label_ids)
        query = parse_query(q)
        everywhere = include_spam_trash or query.reaches_spam_and_trash or not {"SPAM", "TRASH"}.isdisjoint(label_ids)
        asked = [q, *sorted(label_ids), str(include_spam_trash)]
        before = _read_token(page_token, asked)
        found = [
            message
            for message in mailbox.newest_first((int(before[0]), before[1]) if before else None)
            if _listed(message, query, label_ids, everywhere=everywhere)
        ]
        page = found[:limit]
        answer: Json = {"resultSizeEstimate": min(len(found), 201)}
        if page:
            answer["messages"] = [{"id": message.id, "threadId": message.thread_id} for message in page]
        if len(found) > limit:
            answer["nextPageToken"] = _token([str(page[-1].internal_ms), page[-1].id], asked)
        return answer

    def message(self, address: str, message_id: str, *, form: Format = "full", headers: Collection[str] = ()) -> Json:
        return self._told(self.mailbox(address).get(message_id), form, headers)

    def attachment(self, address: str, message_id: str, attachment_id: str) -> Json:
        """Raises: ApiError 404 for a message that is gone, 400 for an id that no message gave out."""
        message = self.mailbox(address).get(message_id)
        part_id = self._attachment_ids.part_id(attachment_id)
        raw = _bytes_of(message.raw)
        for part in mime.parse(raw).walk():
            if part.part_id == part_id:
                content = mime.content(raw, part)
                return {"size": len(content), "data": mime.base64url(content).rstrip("=")}
        raise invalid_argument("Invalid attachment token")

    def thread(
        self, address: str, thread_id: str, *, form: Literal["minimal", "metadata", "full"], headers: Collection[str]
    ) -> Json:
        messages = self.mailbox(address).in_thread(thread_id)
        return {
            "id": thread_id,
            "historyId": str(max(message.history_id for message in messages)),
            "messages": [self._told(message, form, headers) for message in messages],
        }

    def history(
        self,
        address: str,
        *,
        start: int,
        changes: Collection[str] = (),
        label_id: str = "",
        limit: int = 100,
        page_token: str = "",
    ) -> Json:
        """One page of changes after `start`, oldest first; `historyId` is the mailbox's newest on every page."""
        mailbox = self.mailbox(address)
        _require_page_size(limit)
        mailbox.require_labels([label_id] if label_id else [])
        asked = [str(start), *sorted(changes), label_id]
        after = _read_token(page_token, asked)
        wanted = (
            record
            for record in mailbox.history_after(int(after[0]) if after else start)
            if (not changes or record.change in changes) and (not label_id or label_id in record.labels)
        )
        page = list(islice(wanted, limit))
        answer: Json = {"historyId": str(mailbox.history_id)}
        if page:
            answer["history"] = [_told_change(record) for record in page]
        if next(wanted, None):
            answer["nextPageToken"] = _token([str(page[-1].id)], asked)
        return answer

    def send_as(self, address: str) -> Json:
        account = self.accounts[self.mailbox(address).address]
        primary = {
            "sendAsEmail": address,
            "displayName": account.name,
            "replyToAddress": "",
            "signature": account.signature,
            "isPrimary": True,
            "isDefault": True,
        }
        aliases = [
            {
                "sendAsEmail": alias.email,
                "displayName": alias.name,
                "replyToAddress": "",
                "signature": "",
                "isDefault": False,
                "treatAsAlias": True,
                "verificationStatus": alias.verification,
            }
            for alias in account.aliases
        ]
        return {"sendAs": [primary, *aliases]}

    def labels(self, address: str) -> Json:
        own = self.mailbox(address).label_names
        system = [{"id": label, "name": label, "type": "system"} for label in SYSTEM_LABELS]
        return {"labels": [*system, *({"id": key, "name": name, "type": "user"} for key, name in own.items())]}

    # ------------------------------------------------------------------------------------------- what people do in it

    def deliver(
        self, address: str, raw: bytes, *, labels: Iterable[str] = ("INBOX", "UNREAD"), at: datetime | None = None
    ) -> StoredMessage:
        """A message arrives at one mailbox, and its watcher hears of it."""
        mailbox = self.mailbox(address)
        message = mailbox.add(self.keep(raw), labels, epoch_ms(at or self.now()))
        self._announce(mailbox, [mailbox.history[-1]])
        return message

    def deliver_fields(
        self, fields: MailFields, *, labels: Iterable[str] = ("INBOX", "UNREAD"), at: datetime | None = None
    ) -> dict[str, StoredMessage]:
        """A message arrives at every mailbox among its recipients, Bcc ones too; none of them sees the Bcc header."""
        sent_at = at or self.now()
        raw = build(fields, sent_at=sent_at, message_id=self.new_message_id(fields), with_bcc=False)
        return {
            address: self.deliver(address, _with_trace(raw, address, sent_at), labels=labels, at=at)
            for address in self._recipients(fields)
        }

    def send(
        self, address: str, fields: MailFields, *, at: datetime | None = None, deliver: bool = True
    ) -> dict[str, StoredMessage]:
        """A person sends from Gmail: their copy, with Bcc, goes to SENT, and every recipient here gets theirs."""
        sent_at = at or self.now()
        message_id = self.new_message_id(fields)
        own = build(fields, sent_at=sent_at, message_id=message_id, with_bcc=True)
        copies = {address: self.deliver(address, own, labels=("SENT",), at=at)}
        if deliver:
            raw = build(fields, sent_at=sent_at, message_id=message_id, with_bcc=False)
            for recipient in self._recipients(fields):
                if recipient != address:
                    copies[recipient] = self.deliver(recipient, _with_trace(raw, recipient, sent_at), at=at)
        return copies

    def draft(self, address: str, fields: MailFields, *, replaces: str | None = None) -> StoredMessage:
        """A draft is saved; saving it again deletes the message of the version before, as Gmail does."""
        if replaces:
            self.delete(address, replaces)
        raw = build(fields, sent_at=self.now(), message_id=self.new_message_id(fields), with_bcc=True)
        return self.deliver(address, raw, labels=("DRAFT",))

    def relabel(self, address: str, message_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        mailbox = self.mailbox(address)
        self._announce(mailbox, mailbox.relabel(message_id, add=add, remove=remove))

    def delete(self, address: str, message_id: str) -> None:
        """Delete for ever."""
        mailbox = self.mailbox(address)
        self._announce(mailbox, [mailbox.delete(message_id)])

    def seed(self, address: str, messages: Iterable[SeedMessage]) -> int:
        """Fill a mailbox without notifications; returns how many messages were added."""
        mailbox, count = self.mailbox(address), 0
        for message in messages:
            raw = self.keep(message.raw) if isinstance(message.raw, bytes) else message.raw
            mailbox.add(raw, message.labels, epoch_ms(message.received_at), thread_hint=message.thread_hint)
            count += 1
        return count

    def lapse_watch(self, address: str) -> None:
        """The mailbox's watch ends now, as if its seven days were over."""
        if watch := self.pushes.watches.get(self.mailbox(address).address):
            watch.expires_at = self.now()

    def new_message_id(self, fields: MailFields) -> str:
        domain = (addresses_in(fields.sender) or ("mail@unknown.example",))[0].split("@")[1]
        return f"<CA{self.chance.randrange(16**24):024x}@mail.{domain}>"

    # --------------------------------------------------------------------------------------------------------- state

    def reset(self) -> None:
        self.mailboxes.clear()
        self.accounts.clear()
        self.pushes.reset()

    def dump(self, inline: Path) -> Json:
        return {
            "mailboxes": [mailbox.dump(inline) for mailbox in self.mailboxes.values()],
            "watches": self.pushes.dump(),
        }

    def load(self, state: Json, accounts: Iterable[Account]) -> None:
        self.reset()
        self.accounts.update({account.email: account for account in accounts})
        for row in state["mailboxes"]:
            self.mailboxes[row["address"]] = Mailbox.load(row, repeatable(self.chance.random()))
        self.pushes.load(state["watches"])

    # ------------------------------------------------------------------------------------------------------- details

    def _announce(self, mailbox: Mailbox, records: Iterable[HistoryRecord]) -> None:
        for record in records:
            self.pushes.changed(mailbox.address, record, mailbox.history_id)

    def _recipients(self, fields: MailFields) -> list[str]:
        named = addresses_in(", ".join([*fields.to, *fields.cc, *fields.bcc]))
        owners = {
            alias: account.email
            for account in self.accounts.values()
            for alias in (account.email, *(alias.email for alias in account.aliases))
        }
        return list(dict.fromkeys(owners[address] for address in named if address in owners))

    def _told(self, message: StoredMessage, form: Format, only_headers: Collection[str]) -> Json:
        raw: bytes | None = None
        if form != "minimal" or message.snippet is None:
            raw = _bytes_of(message.raw)
        if message.snippet is None:
            message.snippet = mime.snippet(raw or b"", mime.parse(raw or b""))
        answer: Json = {
            "id": message.id,
            "threadId": message.thread_id,
            "snippet": message.snippet,
            "sizeEstimate": message.size,
            "historyId": str(message.history_id),
            "internalDate": str(message.internal_ms),
        }
        if message.labels:
            answer["labelIds"] = sorted(message.labels)
        if raw is None:
            return answer
        if form == "metadata":
            lines, _ = split_head(raw)
            only = frozenset(name.lower() for name in only_headers) or None
            answer["payload"] = {"mimeType": mime.mime_type(lines), "headers": mime.told_headers(lines, only)}
        elif form == "full":
            answer["payload"] = mime.payload(raw, mime.parse(raw), self._attachment_ids)
        elif form == "raw":
            answer["raw"] = mime.base64url(raw)
        return answer


def _listed(message: StoredMessage, query: Query, label_ids: Sequence[str], *, everywhere: bool) -> bool:
    if not everywhere and not message.labels.isdisjoint(("SPAM", "TRASH")):
        return False
    return message.labels.issuperset(label_ids) and query.matches(message)


def _told_change(record: HistoryRecord) -> Json:
    short = {"id": record.message_id, "threadId": record.thread_id}
    message = {**short, "labelIds": list(record.labels)} if record.labels else short
    told: Json = {"id": str(record.id), "messages": [short]}
    if record.change == "messageAdded":
        told["messagesAdded"] = [{"message": message}]
    elif record.change == "messageDeleted":
        told["messagesDeleted"] = [{"message": message}]
    else:
        key = "labelsAdded" if record.change == "labelAdded" else "labelsRemoved"
        told[key] = [{"message": message, "labelIds": list(record.changed)}]
    return told


def _with_trace(raw: bytes, address: str, at: datetime) -> bytes:
    """Put the headers on top that a delivery at Gmail adds."""
    received = f"Received: by mx.google.example with SMTP id s1;\r\n        {format_datetime(at)}\r\n"
    return f"Delivered-To: {address}\r\n{received}".encode() + raw


def _bytes_of(raw: Raw) -> bytes:
    return raw.read() if isinstance(raw, FileSlice) else raw


def _require_page_size(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise invalid_argument(f"Invalid maxResults: must be between 1 and {MAX_PAGE}")


def _token(position: list[str], asked: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, asked]).encode()).decode().rstrip("=")


def _read_token(token: str, asked: list[str]) -> list[str]:
    """Return the position in a page token, [] without one. Raises: ApiError 400, it is not one of this query."""
    if not token:
        return []
    try:
        position, of_query = json.loads(base64.urlsafe_b64decode(token + "=="))
    except (ValueError, TypeError) as malformed:
        raise invalid_argument("Invalid pageToken") from malformed
    if of_query != asked:
        raise invalid_argument("Invalid pageToken")
    return [str(piece) for piece in position]

"""Conversations by References and In-Reply-To, across mailboxes (G15, I13).

A thread's id is made from its oldest reference, so that every message of a conversation finds the same thread whatever
arrives first. Where clients trimmed the references, a message can touch two threads: then the older one takes over the
other's messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.ids import digest, short_id
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail.message_id import fingerprint
from shared.domain.values import dataclass

MESSAGES_KEPT = 200
"""A thread carries the summaries of its newest messages; older ones are counted and read from their rows."""


def message_row_id(headers: MailHeaders) -> str:
    """Our id of the message: one for the whole organization, however many mailboxes hold it (I9)."""
    return short_id("m", "message-id", headers.message_id or fingerprint_of(headers))


def reused_row_id(headers: MailHeaders) -> str:
    """Our id where another message took this Message-ID: a forged id cannot hide the real mail (D4)."""
    return short_id("m", "reused-id", headers.message_id or "", fingerprint_of(headers))


def fingerprint_of(headers: MailHeaders) -> str:
    """What identifies a message without trusting its Message-ID: sender, date, subject and recipients."""
    return fingerprint(
        headers.from_.email if headers.from_ else "",
        (headers.date_at or headers.internal_at).isoformat(),
        headers.subject,
        *sorted(address.email for address in (*headers.to, *headers.cc)),
    )


def origin_of(headers: MailHeaders) -> str:
    """Sender and date as a digest: two rows with one Message-ID and different origins are different messages."""
    return digest(headers.from_.email if headers.from_ else "", headers.date_at.isoformat() if headers.date_at else "")


def thread_id_for(reference: str) -> str:
    """The id of the thread whose oldest known message has this canonical Message-ID."""
    return short_id("t", "thread", reference)


@dataclass(frozen=True, slots=True)
class ThreadLinks:
    """The threads a message may belong to. home: where it goes if nothing else is known. own: where its late replies
    wait if they knew no older message. parent: our row id of the message it answers, where one is named."""

    home: str
    own: str
    parent: str | None


def thread_links(headers: MailHeaders, message_id: str) -> ThreadLinks:
    own = thread_id_for(headers.message_id) if headers.message_id else short_id("t", "orphan", message_id)
    if not headers.references:
        return ThreadLinks(home=own, own=own, parent=None)
    parent = short_id("m", "message-id", headers.references[-1])
    return ThreadLinks(home=thread_id_for(headers.references[0]), own=own, parent=parent)


@dataclass(frozen=True, slots=True)
class Summary:
    """One message as threads and timelines show it. readers: "user:share" of every holder whose copy posts it."""

    message_id: str
    origin: str
    sent_at: datetime
    direction: str
    sender: str
    sender_name: str
    subject: str
    snippet: str
    recipients: int
    attachments: int
    contact_ids: tuple[str, ...]
    company_ids: tuple[str, ...]
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation. older: messages beyond MESSAGES_KEPT. merged_into: the thread that took this one over."""

    thread_id: str
    messages: Mapping[str, Summary]
    first_at: datetime
    older: int = 0
    merged_into: str | None = None

    @property
    def last_at(self) -> datetime:
        return max((summary.sent_at for summary in self.messages.values()), default=self.first_at)

    @property
    def count(self) -> int:
        return len(self.messages) + self.older

    def with_message(self, summary: Summary) -> Thread:
        messages = {**self.messages, summary.message_id: summary}
        older = self.older
        if len(messages) > MESSAGES_KEPT:
            oldest = min(messages.values(), key=lambda kept: (kept.sent_at, kept.message_id))
            del messages[oldest.message_id]
            older += 1
        return replace(self, messages=messages, older=older, first_at=min(self.first_at, summary.sent_at))

    def with_changed(self, summary: Summary) -> Thread:
        """The thread with a message it carries changed; one it only counts changes nothing here."""
        if summary.message_id not in self.messages:
            return self
        return replace(self, messages={**self.messages, summary.message_id: summary})

    def without_message(self, message_id: str) -> Thread:
        """The thread without a message it carries; of those it only counts, one less."""
        if message_id not in self.messages:
            return replace(self, older=max(0, self.older - 1))
        return replace(self, messages={id_: kept for id_, kept in self.messages.items() if id_ != message_id})

    def of_contact(self, contact_id: str) -> Thread:
        """The part of the conversation that concerns one contact."""
        mine = {id_: kept for id_, kept in self.messages.items() if contact_id in kept.contact_ids}
        return replace(self, messages=mine)

    @property
    def contact_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(id_ for kept in self.messages.values() for id_ in kept.contact_ids))


def new_thread(thread_id: str, first_at: datetime) -> Thread:
    return Thread(thread_id=thread_id, messages={}, first_at=first_at)


def older_of(threads: list[Thread]) -> Thread:
    """The thread that takes the others over: the one that began first; on a tie the smaller id, so that two workers
    who meet choose alike."""
    return min(threads, key=lambda thread: (thread.first_at, thread.thread_id))


def joined(winner: Thread, losers: list[Thread]) -> Thread:
    """The winner with the losers' messages."""
    result = winner
    for loser in losers:
        for summary in loser.messages.values():
            result = result.with_message(summary)
        result = replace(result, older=result.older + loser.older, first_at=min(result.first_at, loser.first_at))
    return result

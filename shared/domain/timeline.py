"""What a page reads: an entry for each conversation, meeting and thing that happened, newest first (R13, G15, G25)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from shared.domain.threads import Summary, Thread
from shared.domain.values import dataclass

MESSAGES_SHOWN = 50
"""An entry carries this many of the conversation's newest messages; the rest is read when it is opened."""


class Kind(StrEnum):
    MAIL = "mail"
    MEETING = "meeting"
    CONTRACT = "contract"
    INVOICE = "invoice"
    DEAL = "deal"


@dataclass(frozen=True, slots=True)
class MeetingSummary:
    """One meeting, or one instance of a series. Times are aware UTC; all-day meetings carry the days too, whose end
    is exclusive. answer: of the contact whose entry it is. primary: that contact stands first among the guests who are
    contacts. repeats: it belongs to a series. readers: "user:share" of every calendar that holds it."""

    event_id: str
    title: str
    start_at: datetime
    end_at: datetime
    all_day: tuple[str, str] | None
    time_zone: str
    location: str
    meet_url: str
    status: str
    organizer: str
    guests: int
    answer: str
    private: bool
    readers: tuple[str, ...]
    primary: bool = True
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a contract, an invoice or a deal. what: the step of the deal's chain, such as
    "contract.signed". sentence: what a person reads. plain: the same for those who see no ledger figures; "" where the
    sentence has none."""

    what: str
    sentence: str
    plain: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one timeline. at: what it is sorted by. count: messages of the whole conversation. By its kind it
    has messages, a meeting or a happening."""

    entry_id: str
    kind: Kind
    at: datetime
    count: int
    company_ids: tuple[str, ...] = ()
    deal_ids: tuple[str, ...] = ()
    messages: Mapping[str, Summary] = field(default_factory=dict)
    meeting: MeetingSummary | None = None
    happening: Happening | None = None


def mail_entry(thread: Thread) -> Entry | None:
    """The entry of a conversation (already cut to one contact's part), or None when nothing of it is left."""
    held = [summary for summary in thread.messages.values() if summary.readers]
    if not held:
        return None
    newest = sorted(held, key=lambda kept: (kept.sent_at, kept.message_id), reverse=True)
    return Entry(
        entry_id=thread.thread_id,
        kind=Kind.MAIL,
        at=newest[0].sent_at,
        count=len(held) + thread.older,
        company_ids=tuple(dict.fromkeys(company for kept in newest for company in kept.company_ids)),
        messages={kept.message_id: kept for kept in newest[:MESSAGES_SHOWN]},
    )

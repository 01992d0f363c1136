"""The ledger `seen`: one row per mailbox and Gmail id, which is also the outbox of its ingest task (D2).

A row is `queued` until somebody knows what became of the message. `rev` numbers the times it was queued: a task works
only on the revision it was made for, so an old task that comes late finds nothing to do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from shared.domain.values import dataclass

QUEUED_TOO_LONG = timedelta(minutes=5)
"""A row whose task is overdue for longer lost it; the poll queues it again."""

UNEXPLAINED_AFTER = timedelta(minutes=15)
"""A row that is queued this long after its listing counts as unexplained on the receipt."""

LOST_AT_MOST = 5
"""A row whose task was lost this often goes to quarantine: something about it kills whoever reads it (I4)."""


class State(StrEnum):
    QUEUED = "queued"
    LOGGED = "logged"
    LEFT_OUT = "left_out"
    QUARANTINED = "quarantined"
    GONE = "gone"


class Rule(StrEnum):
    """Why a message was left out, in the order the rules are asked; the first hit names the reason."""

    SYSTEM_LABEL = "system_label"
    ERASED = "erased"
    PERSONAL_NEVER_LOG = "personal_never_log"
    ORGANIZATION_NEVER_LOG = "organization_never_log"
    INTERNAL = "internal_only"
    BULK = "bulk"
    SENDER_UNKNOWN = "sender_unknown"
    NO_ACCESS = "no_access"
    NO_MATCH = "no_match"
    NO_SEARCH_HIT = "no_known_address_by_search"


PRIVATE_RULES = frozenset({Rule.PERSONAL_NEVER_LOG})
"""Shown to the mailbox's own user only."""

DECIDED_BY_CONTACTS = frozenset({Rule.SENDER_UNKNOWN, Rule.NO_ACCESS, Rule.NO_MATCH, Rule.NO_SEARCH_HIT})
"""Outcomes that a new or changed contact may turn (R7)."""

DECIDED_BY_OWN_ADDRESSES = DECIDED_BY_CONTACTS | {
    Rule.PERSONAL_NEVER_LOG,
    Rule.ORGANIZATION_NEVER_LOG,
    Rule.INTERNAL,
    Rule.BULK,
}
"""Outcomes that a further own address may turn: whose it is, which way it went, who was hidden (G10)."""


class Source(StrEnum):
    LIVE = "live"
    BACKFILL = "backfill"


class Wish(StrEnum):
    """What a queued row asks for: read the message and decide, or take this holder away."""

    READ = "read"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class SeenRow:
    """day: UTC day of the message at Gmail; of its listing until that is known. message_key: keyed hash of the
    Message-ID. message_id: our row of the logged message; own_record: whether it lies in the user's own record.
    headers_passed: a page read its headers and wants it logged, so its task may fetch the whole message at once.
    queued_at: when its task is due. lost: how often that task was lost; an outage or a rate limit loses none. private:
    nobody but the mailbox's own user may learn that the message is there (I11, I29)."""

    gmail_id: str
    gmail_thread_id: str
    state: State
    rev: int
    day: date
    listed_at: datetime
    queued_at: datetime | None
    source: Source = Source.LIVE
    wish: Wish = Wish.READ
    rule: Rule | None = None
    message_key: str | None = None
    message_id: str | None = None
    own_record: bool = False
    headers_passed: bool = False
    lost: int = 0
    private: bool = False

    def queued_again(self, wish: Wish, now: datetime) -> SeenRow:
        """Queued for a new reason."""
        again = replace(self, state=State.QUEUED, rev=self.rev + 1, queued_at=now, lost=0)
        return replace(again, wish=wish, listed_at=now, rule=None, headers_passed=False)

    def retried(self, now: datetime) -> SeenRow:
        """Queued once more for the same reason, its task being lost: it stays as old as it is."""
        return replace(self, rev=self.rev + 1, queued_at=now, lost=self.lost + 1)

    def postponed(self, until: datetime) -> SeenRow:
        """Its task was there and will come again: it is not lost."""
        return replace(self, queued_at=until)

    def logged(self, message_id: str, message_key: str | None, day: date, *, own_record: bool = False) -> SeenRow:
        settled = self._settled(State.LOGGED)
        known = replace(settled, message_id=message_id, message_key=message_key, day=day)
        return replace(known, own_record=own_record, private=own_record)

    def left_out(
        self, rule: Rule, message_key: str | None, day: date | None, *, private: bool | None = None
    ) -> SeenRow:
        """A left-out row keeps no trace of the message but its keyed hash, day and rule. private: None is as before."""
        return replace(
            self._settled(State.LEFT_OUT),
            rule=rule,
            message_key=message_key or self.message_key,
            message_id=None,
            day=day or self.day,
            private=self.private if private is None else private,
        )

    def gone(self) -> SeenRow:
        return replace(self._settled(State.GONE), message_id=None)

    def quarantined(self) -> SeenRow:
        return self._settled(State.QUARANTINED)

    def _settled(self, state: State) -> SeenRow:
        return replace(self, state=state, queued_at=None, rule=None, headers_passed=False, lost=0)


def queued_row(
    gmail_id: str, gmail_thread_id: str, now: datetime, *, source: Source = Source.LIVE, wish: Wish = Wish.READ
) -> SeenRow:
    """The row of a message met for the first time."""
    return SeenRow(
        gmail_id=gmail_id,
        gmail_thread_id=gmail_thread_id,
        state=State.QUEUED,
        rev=1,
        day=utc_day(now),
        listed_at=now,
        queued_at=now,
        source=source,
        wish=wish,
    )


def utc_day(moment: datetime) -> date:
    """The UTC day of an aware moment."""
    return moment.astimezone(UTC).date()


# ------------------------------------------------------------------------------------------------- what history tells

SYSTEM_LABELS = frozenset({"DRAFT", "SPAM", "TRASH", "CHAT"})
"""A message under one of these is left out unread (G7)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a run of history records makes of one message: the last record about it wins."""

    gmail_id: str
    gmail_thread_id: str
    fresh: bool
    wish: Wish | None
    system_label: bool


def turn_of(
    previous: Turn | None, *, gmail_id: str, gmail_thread_id: str, kind: str, labels: frozenset[str]
) -> Turn | None:
    """Fold one history record (kinds of ports.MailChange) into what is known of its message; None if it tells nothing.

    fresh: the record says the message was added. system_label: it now bears a system label (its row is left out
    unread; a holder that had it posted loses it). Other labels cost nothing.
    """
    touched = labels & SYSTEM_LABELS
    if kind == "added":
        return Turn(gmail_id, gmail_thread_id, True, None if touched else Wish.READ, bool(touched))
    fresh = previous.fresh if previous else False
    if kind == "deleted":
        return Turn(gmail_id, gmail_thread_id, fresh, Wish.REMOVE, False)
    if kind == "labels_added" and touched:
        return Turn(gmail_id, gmail_thread_id, fresh, Wish.REMOVE, True)
    if (kind == "labels_removed" and touched) or (kind == "labels_added" and "SENT" in labels):
        return Turn(gmail_id, gmail_thread_id, fresh, Wish.READ, False)
    return previous


def row_after(turn: Turn, row: SeenRow | None, now: datetime) -> SeenRow | None:
    """The row to write after `turn`, or None where it changes nothing.

    A message that was never posted and left for good (deleted, trash) needs no task: its row says so at once. One
    that is posted is queued, because its holder has to be taken off the timeline.
    """
    base = row or queued_row(turn.gmail_id, turn.gmail_thread_id, now)
    if turn.wish is Wish.READ:
        if row is None:
            return base
        reread = (
            row.state in (State.GONE, State.QUARANTINED)
            or row.rule is Rule.SYSTEM_LABEL
            or (row.state is State.QUEUED and row.wish is Wish.REMOVE)
        )
        return row.queued_again(Wish.READ, now) if reread else None
    if row is not None and (row.message_id is not None or row.state is State.QUEUED):
        return None if row.state is State.QUEUED and row.wish is Wish.REMOVE else row.queued_again(Wish.REMOVE, now)
    if turn.system_label:
        return base.left_out(Rule.SYSTEM_LABEL, None, None)
    return base.gone() if row is None or row.state is not State.GONE else None

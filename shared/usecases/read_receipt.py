"""Read the completeness receipt of a mailbox, and answer why a message is not here (G19)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from shared.domain.ledger import UNEXPLAINED_AFTER, Rule, SeenRow, State
from shared.domain.mail.message_id import canonical_message_id
from shared.domain.mailbox import MailboxRecord
from shared.domain.message import key_of_message_id
from shared.domain.people import Role, User
from shared.domain.quarantine import MESSAGE, parked_id
from shared.domain.receipt import Receipt
from shared.domain.values import dataclass
from shared.errors import ForbiddenError, InputError, PayloadError
from shared.ports.mailbox import Mailbox
from shared.ports.time import Clock
from shared.records.followups import Quarantine
from shared.records.mailboxes import Mailboxes, MailStreams
from shared.records.organizations import Organizations
from shared.records.seen import Seen
from shared.records.store import TenantStore


def read_receipt(
    store: TenantStore, mailbox_id: str, clock: Clock, day: date | None = None, *, for_others: bool = False
) -> Receipt:
    """Counted now, from the rows: there are no counters that could drift.

    for_others: as anybody but the mailbox's own user may read it. Mail by Bcc, in the own record, or that the personal
    list left out is in none of its counts, and so it balances all the same (I11, I29).
    """
    seen = Seen(store, mailbox_id)
    hidden = for_others and seen.count(day=day, private=True) > 0

    def count(state: State | None = None, rule: Rule | None = None) -> int:
        found = seen.count(day=day, state=state, rule=rule)
        return found - seen.count(day=day, state=state, rule=rule, private=True) if hidden and found else found

    old = clock.now() - UNEXPLAINED_AFTER
    queued = count(State.QUEUED)
    unexplained = seen.count(day=day, state=State.QUEUED, listed_before=old) if queued else 0
    if hidden and unexplained:
        unexplained -= sum(row.listed_at <= old and day in (None, row.day) for row in seen.private_queued())
    left_out = {rule: found for rule in Rule if (found := count(rule=rule))}
    return Receipt(
        day=day,
        listed=count(),
        logged=count(State.LOGGED),
        left_out=left_out,
        quarantined=count(State.QUARANTINED),
        gone=count(State.GONE),
        waiting=queued - unexplained,
        unexplained=unexplained,
        covered_until=covered_until(store, mailbox_id),
    )


def covered_until(store: TenantStore, mailbox_id: str) -> datetime | None:
    """Up to when everything is known: the last complete reading, or the listing of the oldest row still queued."""
    stream = MailStreams(store, mailbox_id).get()
    if stream is None:
        return None
    oldest = Seen(store, mailbox_id).oldest_queued()
    return min(stream.value.read_at, oldest.listed_at) if oldest else stream.value.read_at


SENTENCES = {
    Rule.SYSTEM_LABEL: "It is a draft, in spam, in trash or a chat in this mailbox.",
    Rule.ERASED: "One of its participants asked to be erased.",
    Rule.PERSONAL_NEVER_LOG: "An address or domain on your own never-log list takes part.",
    Rule.ORGANIZATION_NEVER_LOG: "An address or domain on the organization's never-log list takes part.",
    Rule.INTERNAL: "Everyone on it is a colleague, and internal mail is left out.",
    Rule.BULK: "It is a newsletter or an automatic mail, and these are left out.",
    Rule.SENDER_UNKNOWN: "A contact takes part, but its sender is neither a user nor a contact.",
    Rule.NO_ACCESS: "It belongs to contacts this mailbox's user may not see.",
    Rule.NO_MATCH: "None of its addresses belongs to a contact.",
    Rule.NO_SEARCH_HIT: "The search for your contacts' addresses did not find it.",
}
TELLING = (State.LOGGED, State.QUEUED, State.QUARANTINED, State.LEFT_OUT, State.GONE)
"""Of several copies in one mailbox the first of these answers."""

SEARCH_MARKS = frozenset('(){}"')

UNKNOWN = "This mailbox does not hold it: Gmail finds no message with this Message-ID here."


@dataclass(frozen=True, slots=True)
class Explanation:
    """state: the row's, or None where there is no row. parked: the quarantine entry to replay, where there is one."""

    state: State | None
    rule: Rule | None
    sentence: str
    parked: str | None = None


def explain_missing(
    store: TenantStore, mailbox_id: str, gmail: Mailbox, message_id: str, *, asked_by: User
) -> Explanation:
    """Why the message with this Message-ID is (not) on a timeline, as far as this mailbox goes.

    Of mail that only the mailbox's own user may know of, everybody else hears what they hear of mail that is not there.
    Raises: InputError for something that is no Message-ID; ForbiddenError for anyone but its user and admins.
    """
    mailbox = require_reader(store, mailbox_id, asked_by)
    canonical = canonical_message_id(message_id)
    if canonical is None:
        raise InputError("That is not a Message-ID; it looks like <abc@mail.example.com> in the message's source.")
    seen = Seen(store, mailbox_id)
    rows = seen.by_message_key(key_of_message_id(Organizations(store).get().index_key, canonical))
    if not rows:
        rows = _rows_by_search(seen, gmail, canonical)
        if asked_by.user_id != mailbox.user_id:
            rows = _known_to_be_open(store, mailbox_id, gmail, rows)
    if asked_by.user_id != mailbox.user_id:
        rows = [row for row in rows if not row.private]
    if not rows:
        return Explanation(None, None, UNKNOWN)
    row = min(rows, key=lambda copy: TELLING.index(copy.state))
    return _explained(store, mailbox_id, row)


def _known_to_be_open(store: TenantStore, mailbox_id: str, gmail: Mailbox, rows: list[SeenRow]) -> list[SeenRow]:
    """Rows of messages that were never read say nothing about how they came. Their headers do: what came by Bcc, what
    the personal list names and what cannot be read is nobody's business but its holder's."""
    from shared.domain.mail_rules import got_by_bcc, listed, participants
    from shared.usecases.mail.decide_mail import open_desk

    try:
        headers = gmail.headers([row.gmail_id for row in rows]) if rows else {}
    except PayloadError:
        return []
    desk = open_desk(store, mailbox_id)

    def is_open(row: SeenRow) -> bool:
        found = headers.get(row.gmail_id)
        return (
            found is not None
            and not got_by_bcc(found, desk.holder, desk.organization)
            and not listed(participants(found).everyone, desk.holder, desk.holder.options.never_log)
        )

    return [row for row in rows if is_open(row)]


def _rows_by_search(seen: Seen, gmail: Mailbox, canonical: str) -> list[SeenRow]:
    """Rows of messages that were never read (drafts, spam, trash) carry no hash; Gmail knows their ids.

    An id with one of Gmail's own search marks in it is not searched for: it would ask something else.
    """
    if SEARCH_MARKS & set(canonical):
        return []
    found = gmail.list_messages(
        after=datetime(1990, 1, 1, tzinfo=UTC), before=None, page=None, search=f"rfc822msgid:{canonical} in:anywhere"
    )
    return [row.value for row in seen.get_all([ref.gmail_id for ref in found.refs]).values()]


def _explained(store: TenantStore, mailbox_id: str, row: SeenRow) -> Explanation:
    if row.state is State.LEFT_OUT and row.rule is not None:
        return Explanation(row.state, row.rule, SENTENCES[row.rule])
    if row.state is State.QUARANTINED:
        parked = Quarantine(store).find(parked_id(MESSAGE, f"{mailbox_id}/{row.gmail_id}"))
        reason = parked.value.reason if parked else "unknown"
        sentence = f"It could not be read and waits in quarantine: {reason}."
        return Explanation(row.state, None, sentence, parked.value.parked_id if parked else None)
    sentences = {
        State.LOGGED: "It is here: it was logged from this mailbox.",
        State.QUEUED: "It is on its way: its task is queued.",
        State.GONE: "It was deleted from this mailbox, or lies in its trash or spam.",
    }
    return Explanation(row.state, None, sentences[row.state])


def require_reader(store: TenantStore, mailbox_id: str, viewer: User) -> MailboxRecord:
    """The mailbox, for its user and for admins. Raises: NotFoundError, ForbiddenError."""
    mailbox = Mailboxes(store).get(mailbox_id).value
    if viewer.user_id != mailbox.user_id and viewer.role is not Role.ADMIN:
        raise ForbiddenError(f"user {viewer.user_id} may not see mailbox {mailbox_id}")
    return mailbox

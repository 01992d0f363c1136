"""Compare the ledger of a window with what Gmail lists for it now (G19, I3).

What Gmail lists and no row knows is queued, and counted as found missing. A row of a message that is in no list any
more is read once more: it was deleted or thrown away while we did not look.
"""

from __future__ import annotations

from datetime import UTC, datetime, time

from shared.domain.ledger import Rule, SeenRow, State, Wish, queued_row, utc_day
from shared.domain.values import dataclass
from shared.errors import AlreadyExistsError, StaleWriteError
from shared.ports.mailbox import MessageRef
from shared.records.mailboxes import Mailboxes
from shared.records.stored import Stored
from shared.usecases.mail.queue_work import ingest_task
from shared.usecases.mail.search_for_contacts import audit_search
from shared.usecases.mail.served import ServedMailbox

ROWS_A_PAGE = 300


@dataclass(frozen=True, slots=True)
class AuditResult:
    """listed: what Gmail lists. missing: of these, without a row. vanished: posted rows in no list any more."""

    listed: int
    missing: int
    vanished: int


def audit_mailbox(served: ServedMailbox, *, after: datetime, before: datetime) -> AuditResult:
    """Audit the messages Gmail accepted between the two moments (aware UTC), from the beginning of the first's day."""
    if not Mailboxes(served.store).get(served.mailbox_id).value.served or served.streams.get() is None:
        return AuditResult(0, 0, 0)
    now = served.clock.now()
    until = min(before, now)
    listed = _listed(served, datetime.combine(utc_day(after), time.min, tzinfo=UTC), until)
    missing = sum(_queue_missing(served, page, now) for page in _pages(listed))
    vanished = _queue_vanished(served, {ref.gmail_id for ref in listed}, after, until)
    audit_search(served)
    result = AuditResult(len(listed), missing, vanished)
    report = served.warn if missing else served.log
    report("receipt.audited", listed=result.listed, missing=result.missing, vanished=result.vanished)
    return result


def _listed(served: ServedMailbox, after: datetime, before: datetime) -> list[MessageRef]:
    refs: list[MessageRef] = []
    page_token: str | None = None
    while True:
        page = served.gmail.list_messages(after=after, before=before, page=page_token)
        refs.extend(page.refs)
        page_token = page.next_page
        if page_token is None:
            return refs


def _pages(refs: list[MessageRef]) -> list[list[MessageRef]]:
    return [refs[start : start + ROWS_A_PAGE] for start in range(0, len(refs), ROWS_A_PAGE)]


def _queue_missing(served: ServedMailbox, refs: list[MessageRef], now: datetime) -> int:
    """Queue what has no row, or whose row says it is under a system label or gone: Gmail lists it now."""
    known = served.seen.get_all([ref.gmail_id for ref in refs])
    missing = 0
    for ref in refs:
        row = known.get(ref.gmail_id)
        if row is None:
            fresh = queued_row(ref.gmail_id, ref.gmail_thread_id, now)
            missing += _commit(served, fresh, None)
        elif row.value.state is State.GONE or row.value.rule is Rule.SYSTEM_LABEL:
            _commit(served, row.value.queued_again(Wish.READ, now), row)
    return missing


def _queue_vanished(served: ServedMailbox, listed: set[str], after: datetime, before: datetime) -> int:
    """Rows know days only; one that we had before the end of the window belongs to a message the list must hold."""
    position: tuple[str, str] | None = None
    vanished = 0
    while True:
        rows = served.seen.of_days(utc_day(after), utc_day(before), after=position, limit=ROWS_A_PAGE)
        for row in rows:
            posted = row.value.state is State.LOGGED and row.value.listed_at < before
            if posted and row.value.gmail_id not in listed:
                vanished += _commit(served, row.value.queued_again(Wish.READ, served.clock.now()), row)
        if len(rows) < ROWS_A_PAGE:
            return vanished
        position = (rows[-1].value.day.isoformat(), rows[-1].value.gmail_id)


def _commit(served: ServedMailbox, row: SeenRow, before: Stored[SeenRow] | None) -> int:
    """Write the queued row and its task; 0 where somebody else was quicker."""
    write = served.seen.updating(row, before.version) if before else served.seen.creating(row)
    try:
        served.store.commit([write])
    except (AlreadyExistsError, StaleWriteError):
        return 0
    served.tasks.create([ingest_task([row], served, None)])
    return 1

"""Find mail that was left out because nobody knew its people, now that somebody does (R7).

One search per mailbox for the contact's addresses, inside the backfill window; only hits are read, as any other mail.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.ledger import DECIDED_BY_CONTACTS, Source, State, Wish, queued_row
from shared.errors import AlreadyExistsError, StaleWriteError
from shared.ports import MessageRef
from shared.records.mailboxes import Mailboxes
from shared.usecases.mail.open_mailbox import window_start
from shared.usecases.mail.queue_work import ingest_task, start_times, units_of
from shared.usecases.mail.served import ServedMailbox

ADDRESSES_A_SEARCH = 20


def catch_up_mailbox(served: ServedMailbox, emails: Sequence[str]) -> int:
    """Queue every hit that is not logged; returns how many. Safe to repeat: a queued row is left as it is."""
    mailbox = Mailboxes(served.store).get(served.mailbox_id).value
    if not mailbox.served or not emails:
        return 0
    after = window_start(served.clock.now(), mailbox.options.backfill_months)
    queued = 0
    for start in range(0, len(emails), ADDRESSES_A_SEARCH):
        search = address_search(emails[start : start + ADDRESSES_A_SEARCH])
        page_token: str | None = None
        while True:
            page = served.gmail.list_messages(after=after, before=None, page=page_token, search=search)
            queued += _queue(served, page.refs)
            page_token = page.next_page
            if page_token is None:
                break
    served.log("mailbox.caught_up", queued=queued)
    return queued


def address_search(emails: Sequence[str]) -> str:
    """Gmail's search for mail from, to or copied to any of the addresses. In braces, words are alternatives."""
    terms = (f"{header}:{email}" for email in emails for header in ("from", "to", "cc", "bcc"))
    return "{" + " ".join(terms) + "}"


def _queue(served: ServedMailbox, refs: Sequence[MessageRef]) -> int:
    known = served.seen.get_all([ref.gmail_id for ref in refs])
    now = served.clock.now()
    rows = []
    for ref in refs:
        row = known.get(ref.gmail_id)
        if row is None:
            fresh = queued_row(ref.gmail_id, ref.gmail_thread_id, now, source=Source.BACKFILL)
            write = served.seen.creating(fresh)
        elif row.value.state is State.LEFT_OUT and row.value.rule in DECIDED_BY_CONTACTS:
            fresh = row.value.queued_again(Wish.READ, now)
            write = served.seen.updating(fresh, row.version)
        else:
            continue
        try:
            served.store.commit([write])
        except (AlreadyExistsError, StaleWriteError):
            continue
        rows.append(fresh)
    costs = [units_of([row], served) for row in rows]
    if rows:
        granted = served.budget.draw(sum(costs), may_owe=True)
        starts = start_times(costs, granted, now, served.quota_units_per_minute)
        served.tasks.create([ingest_task([row], served, start) for row, start in zip(rows, starts, strict=True)])
    return len(rows)

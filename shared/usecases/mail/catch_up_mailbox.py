"""Find mail whose outcome a changed address may turn: a contact's (R7), or one of the user's own (G10).

One search per mailbox for the addresses, inside the backfill window; only hits are read, as any other mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.backfill import window_start
from shared.domain.ledger import DECIDED_BY_CONTACTS, Rule, Source, State, Wish, queued_row
from shared.errors import AlreadyExistsError, StaleWriteError
from shared.ports.mailbox import MessageRef
from shared.records.mailboxes import Mailboxes
from shared.usecases.mail.note_missed import note_missed
from shared.usecases.mail.queue_work import ingest_task, start_times, units_of
from shared.usecases.mail.served import ServedMailbox

ADDRESSES_A_SEARCH = 20


def catch_up_mailbox(
    served: ServedMailbox,
    emails: Sequence[str],
    rules: frozenset[Rule] = DECIDED_BY_CONTACTS,
    *,
    logged_too: bool = False,
) -> int:
    """Queue every hit that has no row, or was left out by one of the rules; with `logged_too` also what was logged.

    Returns how many. Safe to repeat: a queued row is left as it is. A mailbox whose mail is not read has none to find;
    one that is not served is searched when it is served again. What lies in the user's own record is decided anew too.
    """
    mailbox = Mailboxes(served.store).get(served.mailbox_id).value
    if not mailbox.served and note_missed(served.store, served.mailbox_id, served.jitter):
        return 0
    if not emails or served.streams.get() is None:
        return 0
    after = window_start(served.clock.now(), mailbox.options.backfill_months)
    queued = 0
    for start in range(0, len(emails), ADDRESSES_A_SEARCH):
        search = address_search(emails[start : start + ADDRESSES_A_SEARCH])
        page_token: str | None = None
        while True:
            page = served.gmail.list_messages(after=after, before=None, page=page_token, search=search)
            queued += _queue(served, page.refs, rules, logged_too=logged_too)
            page_token = page.next_page
            if page_token is None:
                break
    served.log("mailbox.caught_up", queued=queued)
    return queued


def address_search(emails: Sequence[str]) -> str:
    """Gmail's search for mail from, to or copied to any of the addresses. In braces, words are alternatives."""
    terms = (f"{header}:{email}" for email in emails for header in ("from", "to", "cc", "bcc"))
    return "{" + " ".join(terms) + "}"


def _queue(served: ServedMailbox, refs: Sequence[MessageRef], rules: frozenset[Rule], *, logged_too: bool) -> int:
    known = served.seen.get_all([ref.gmail_id for ref in refs])
    now = served.clock.now()
    rows = []
    for ref in refs:
        row = known.get(ref.gmail_id)
        if row is None:
            fresh = queued_row(ref.gmail_id, ref.gmail_thread_id, now, source=Source.BACKFILL)
            write = served.seen.creating(fresh)
        elif row.value.rule in rules or row.value.own_record or (logged_too and row.value.state is State.LOGGED):
            fresh = replace(row.value.queued_again(Wish.READ, now), source=Source.BACKFILL)
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
        granted = served.budget.draw(sum(costs), past=True, may_owe=True)
        starts = start_times(costs, granted, now)
        served.tasks.create([ingest_task([row], served, start) for row, start in zip(rows, starts, strict=True)])
    return len(rows)

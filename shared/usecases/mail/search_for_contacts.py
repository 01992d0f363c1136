"""A cheaper backfill where only mail with contacts is kept: search for their addresses, read only the hits (G8).

Gmail answers a search for twenty addresses at a quarter of one header's price. What it does not find is left out
unread, under a rule of its own, and the nightly audit reads a sample of that: one message it should have found, and the
mailbox is never searched again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.backfill import BackfillRun, Wanted, search_pays
from shared.domain.ledger import Rule, SeenRow, Source, Wish, queued_row
from shared.domain.mail_rules import LeftOut
from shared.errors import StaleWriteError
from shared.ports.mailbox import MessageRef
from shared.records.mailboxes import Mailboxes
from shared.records.people import Contacts
from shared.records.store import guarded
from shared.records.stored import Stored
from shared.usecases.mail.catch_up_mailbox import ADDRESSES_A_SEARCH, address_search
from shared.usecases.mail.decide_mail import decide_all, open_desk
from shared.usecases.mail.queue_work import ingest_task, start_times, units_of
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.sample import sampled

CONTACTS_A_STEP = 200
SAMPLE = 20
ROWS_A_COMMIT = 300
ROWS_AN_AUDIT = 3_000


def may_search(served: ServedMailbox, units_without: int) -> bool:
    """Whether the rest of the window may be left unread, and searching is cheaper than `units_without` for headers."""
    desk = open_desk(served.store, served.mailbox_id)
    organization, mailbox = desk.organization, desk.mailbox
    keeps_unmatched = organization.log_all_mail or mailbox.options.own_record
    if keeps_unmatched or organization.match_company_domains or not mailbox.search_trusted:
        return False
    contacts = Contacts(served.store).count()
    return search_pays(contacts, units_without, ADDRESSES_A_SEARCH, served.prices)


def search_step(served: ServedMailbox, run: BackfillRun) -> tuple[list[Wanted], str | None]:
    """Search for the next contacts' addresses; returns the hits and the last contact's id, None after the last."""
    contacts = Contacts(served.store).page(after=run.searched_after, limit=CONTACTS_A_STEP)
    emails = [email for stored in contacts for email in stored.contact.emails]
    hits: dict[str, Wanted] = {}
    for start in range(0, len(emails), ADDRESSES_A_SEARCH):
        search = address_search(emails[start : start + ADDRESSES_A_SEARCH])
        for ref in _found(served, run, search):
            hits[ref.gmail_id] = Wanted(ref.gmail_id, ref.gmail_thread_id)
    last = contacts[-1].contact.contact_id if len(contacts) == CONTACTS_A_STEP else None
    return list(hits.values()), last


def step_units(served: ServedMailbox) -> int:
    """What a step costs at least: one page for each search."""
    return CONTACTS_A_STEP // ADDRESSES_A_SEARCH * served.prices["gmail.users.messages.list"]


def _found(served: ServedMailbox, run: BackfillRun, search: str) -> list[MessageRef]:
    refs: list[MessageRef] = []
    page_token: str | None = None
    while True:
        page = served.gmail.list_messages(after=run.after, before=run.before, page=page_token, search=search)
        refs.extend(page.refs)
        page_token = page.next_page
        if page_token is None:
            return refs


def leave_out_unfound(served: ServedMailbox, unfound: Sequence[Wanted]) -> None:
    """A row for each message no search found, unread. Rows that are there already know better and stay."""
    now = served.clock.now()
    for start in range(0, len(unfound), ROWS_A_COMMIT):
        part = unfound[start : start + ROWS_A_COMMIT]

        def attempt(part: Sequence[Wanted] = part) -> None:
            known = served.seen.get_all([wanted.gmail_id for wanted in part])
            rows = [
                queued_row(wanted.gmail_id, wanted.gmail_thread_id, now, source=Source.BACKFILL).left_out(
                    Rule.NO_SEARCH_HIT, None, None
                )
                for wanted in part
                if wanted.gmail_id not in known
            ]
            if rows:
                served.store.commit([served.seen.creating(row) for row in rows])

        guarded(served.jitter, f"the ledger of mailbox {served.mailbox_id}", attempt)


# ---------------------------------------------------------------------------------------------------------- the audit


def audit_search(served: ServedMailbox) -> int:
    """Read a random sample of what no search found; returns how many of them should have been found.

    One is enough: the mailbox is not searched again, and everything that was left out so is read.
    """
    mailbox = Mailboxes(served.store).get(served.mailbox_id).value
    if not mailbox.search_trusted:
        _read_after_all(served)
        return 0
    sample = _unfound_sample(served)
    if not sample:
        return 0
    served.budget.draw(len(sample) * served.prices["gmail.users.messages.get"], may_owe=True)
    headers = served.gmail.headers([row.value.gmail_id for row in sample])
    desk = open_desk(served.store, served.mailbox_id)
    decisions = decide_all(served.store, desk, [found for found in headers.values() if found])
    missed = sum(not isinstance(decision, LeftOut) for decision in decisions.values())
    if missed:
        served.warn("search.missed", missed=missed, sampled=len(sample))
        _distrust(served)
        _read_after_all(served)
    return missed


def _unfound_sample(served: ServedMailbox) -> list[Stored[SeenRow]]:
    """Some of what no search found, from a random moment of the window backwards."""
    run = served.streams.backfill()
    if run is None or not run.value.by_search:
        return []
    window = run.value.before - run.value.after
    moment = run.value.before - served.chance.fraction() * window
    refs: tuple[MessageRef, ...] = ()
    for before in (moment, run.value.before):
        refs = refs or served.gmail.list_messages(after=run.value.after, before=before, page=None).refs
    rows = served.seen.get_all([ref.gmail_id for ref in refs]).values()
    return sampled([row for row in rows if row.value.rule is Rule.NO_SEARCH_HIT], SAMPLE, served.chance)


def _distrust(served: ServedMailbox) -> None:
    def attempt() -> None:
        mailboxes = Mailboxes(served.store)
        stored = mailboxes.get(served.mailbox_id)
        served.store.commit([mailboxes.updating(replace(stored.value, search_trusted=False), stored.version)])

    guarded(served.jitter, f"mailbox {served.mailbox_id}", attempt)


def _read_after_all(served: ServedMailbox) -> None:
    """Queue what searches left out, so much at a time; the next audit goes on with the rest."""
    rows = served.seen.by_rule(Rule.NO_SEARCH_HIT, ROWS_AN_AUDIT)
    now = served.clock.now()
    queued = [row.value.queued_again(Wish.READ, now) for row in rows]
    costs = [units_of([row], served) for row in queued]
    if not queued:
        return
    granted = served.budget.draw(sum(costs), may_owe=True)
    starts = start_times(costs, granted, now)
    for row, again, start in zip(rows, queued, starts, strict=True):
        try:
            served.store.commit([served.seen.updating(replace(again, queued_at=start), row.version)])
        except StaleWriteError:
            continue  # somebody else queued it
        served.tasks.create([ingest_task([again], served, start)])

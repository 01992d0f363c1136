"""A mailbox is served again and contacts changed meanwhile: search for all, and read its calendars anew (R7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared.domain.outbox import Promise, promise
from shared.records.followups import Outbox
from shared.records.mailboxes import Mailboxes
from shared.records.people import Contacts
from shared.records.store import guarded
from shared.usecases.calendar.rematch_meetings import reread_calendars
from shared.usecases.mail.catch_up_mailbox import catch_up_mailbox
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.promises import keep_promise_tasks

CONTACTS_A_STEP = 200


def promise_missed(served: ServedMailbox) -> None:
    """Promise the search where one was missed. The note goes in the same commit, so that it is promised once."""

    def attempt() -> list[Promise]:
        mailboxes = Mailboxes(served.store)
        stored = mailboxes.get(served.mailbox_id)
        if not stored.value.missed:
            return []
        first = _step(served, "")
        after = replace(stored.value, missed=False)
        served.store.commit([mailboxes.updating(after, stored.version), Outbox(served.store).creating(first)])
        return [first]

    served.tasks.create(keep_promise_tasks(guarded(served.jitter, f"mailbox {served.mailbox_id}", attempt)))


def keep_catch_up(served: ServedMailbox, payload: Mapping[str, str]) -> None:
    """The work of a promised search: for one contact, or for a page of all of them after another."""
    contacts = Contacts(served.store)
    if "contact" in payload:
        catch_up_mailbox(
            served, [email for kept in contacts.get_all([payload["contact"]]) for email in kept.contact.emails]
        )
        return
    if not payload["after"]:
        reread_calendars(served.store, tasks=served.tasks, clock=served.clock, mailbox_id=served.mailbox_id)
    page = contacts.page(after=payload["after"] or None, limit=CONTACTS_A_STEP)
    catch_up_mailbox(served, [email for kept in page for email in kept.contact.emails])
    if len(page) == CONTACTS_A_STEP:
        following = _step(served, page[-1].contact.contact_id)
        served.store.commit([Outbox(served.store).creating(following)])
        served.tasks.create(keep_promise_tasks([following]))


def _step(served: ServedMailbox, after: str) -> Promise:
    now = served.clock.now()
    return promise("mailbox_catch_up", {**served.ids, "after": after}, now, served.mailbox_id, after, now.isoformat())

"""After a contact's addresses changed: attach and detach stored mail, from what is stored (R7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.domain.mail.addresses import Address
from shared.domain.mail_rules import Direction, Lookup
from shared.domain.matching import contacts_of
from shared.domain.message import LoggedMessage, participant_key, summary_of
from shared.domain.outbox import Promise, promise
from shared.domain.people import Contact, Viewer
from shared.domain.settings import Organization
from shared.errors import NotFoundError
from shared.ports.documents import Query, Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.addresses import Addresses
from shared.records.followups import Outbox
from shared.records.mail import MESSAGE, Messages
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.calendar.rematch_meetings import rematch_meetings, reread_calendars
from shared.usecases.mail.note_missed import note_missed
from shared.usecases.mail.place import Place, live_thread
from shared.usecases.notice_duplicates import notice_duplicates
from shared.usecases.promises import keep_promise_tasks

MESSAGES_A_PAGE = 200
"""Read at once; each is written in a commit of its own."""


def reattach_contact(
    store: TenantStore, contact_id: str, *, keys: Sequence[str], tasks: Tasks, clock: Clock, jitter: Jitter
) -> int:
    """Make the contact's stored mail and meetings true; returns how many messages changed. Safe to repeat.

    People are told where another contact has one of its addresses. Then mailboxes and calendars are asked for what was
    left out because nobody knew the address, and the contact's figures are computed anew. keys: participant keys of
    the addresses that came or went.
    """
    rematch_meetings(store, keys, cause=f"{contact_id}-{clock.now().isoformat()}", tasks=tasks)
    reread_calendars(store, tasks=tasks, clock=clock)
    try:
        contact = Contacts(store).get(contact_id).contact
    except NotFoundError:
        return 0
    organization = Organizations(store).get()
    notice_duplicates(store, contact, organization.index_key, clock=clock, jitter=jitter)
    viewers = {user.user_id: user.viewer for user in Users(store).all()}
    changed = 0
    for message_id in _candidates(store, contact, organization.index_key):
        changed += _settle(store, message_id, contact, organization, viewers, jitter)
    follow_ups = _follow_ups(store, contact, clock, jitter)
    store.commit([Outbox(store).creating(promised) for promised in follow_ups])
    tasks.create(keep_promise_tasks(follow_ups))
    return changed


def _follow_ups(store: TenantStore, contact: Contact, clock: Clock, jitter: Jitter) -> list[Promise]:
    """The contact's figures, and a search of each mailbox; one that is not served takes note for when it is."""
    now = clock.now()
    stamp = now.isoformat()
    ids = {"tenant": store.tenant, "contact": contact.contact_id}
    refresh = promise("contact_refresh", ids, now, contact.contact_id, stamp)
    catch_ups = [
        promise(
            "mailbox_catch_up",
            {**ids, "mailbox": mailbox.mailbox_id},
            now,
            contact.contact_id,
            mailbox.mailbox_id,
            stamp,
        )
        for mailbox in Mailboxes(store).all()
        if contact.emails and (mailbox.served or not note_missed(store, mailbox.mailbox_id, jitter))
    ]
    return [refresh, *catch_ups]


def _candidates(store: TenantStore, contact: Contact, index_key: bytes) -> Iterable[str]:
    """Messages that name one of its addresses, and those that stand on its timeline now."""
    seen: set[str] = set()
    messages = Messages(store)
    for email in contact.emails:
        after: str | None = None
        while True:
            page = messages.of_participant(participant_key(index_key, email), after=after, limit=MESSAGES_A_PAGE)
            seen.update(row.value.message_id for row in page)
            if len(page) < MESSAGES_A_PAGE:
                break
            after = page[-1].value.message_id
    for document in store.find(Query("messages", where=(("contact_ids", "array_contains", contact.contact_id),))):
        seen.add(MESSAGE.value(document.fields).message_id)
    return sorted(seen)


def _settle(
    store: TenantStore,
    message_id: str,
    contact: Contact,
    organization: Organization,
    viewers: dict[str, Viewer],
    jitter: Jitter,
) -> int:
    place = Place(store)

    def attempt() -> int:
        stored = place.messages.find(message_id)
        if stored is None:
            return 0
        belongs = _belongs(store, stored.value, contact, organization) and _somebody_may_see(
            stored.value, contact, viewers
        )
        attached = contact.contact_id in stored.value.contact_ids
        if belongs == attached:
            return 0
        store.commit(_writes(place, stored, contact, attach=belongs))
        return 1

    return guarded(jitter, f"message {message_id}", attempt)


def _belongs(store: TenantStore, message: LoggedMessage, contact: Contact, organization: Organization) -> bool:
    """By the addresses the message shows; a hidden recipient is known by its hash alone."""
    shown = [address for address in (message.from_, *message.to, *message.cc) if address]
    rows = Addresses(store, organization.index_key).rows(address.email for address in shown)

    def matches(address: Address) -> bool:
        return contact.contact_id in contacts_of(Lookup(rows, {}).of(address))

    if any(matches(address) for address in shown):
        return True
    keys_shown = {participant_key(organization.index_key, address.email) for address in shown}
    keys = {participant_key(organization.index_key, email) for email in contact.emails}
    outgoing = message.direction is Direction.OUTGOING
    return outgoing and bool(keys & (set(message.participant_keys) - keys_shown))


def _somebody_may_see(message: LoggedMessage, contact: Contact, viewers: dict[str, Viewer]) -> bool:
    """R15: at least one holder may see the contact. A message without holders keeps its place."""
    holders = {reader.rpartition(":")[0] for reader in message.readers}
    return not holders or any(
        viewers[holder].may_see_records_of(contact.owner_id) for holder in holders if holder in viewers
    )


def _writes(place: Place, stored: Stored[LoggedMessage], contact: Contact, *, attach: bool) -> list[Write]:
    message = stored.value
    others = tuple(id_ for id_ in message.contact_ids if id_ != contact.contact_id)
    companies = tuple(dict.fromkeys((*message.company_ids, *contact.company_ids))) if attach else message.company_ids
    after = replace(message, contact_ids=(*others, contact.contact_id) if attach else others, company_ids=companies)
    thread = live_thread(place, message.thread_id)
    rebuilt = thread.value.with_changed(summary_of(after))
    owners = place.owners((*others, contact.contact_id))
    return [
        place.messages.updating(after, stored.version),
        place.threads.updating(rebuilt, thread.version),
        *place.entries(rebuilt, owners),
    ]

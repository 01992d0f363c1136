"""What the ledger, the messages and the timelines must say, told from the mailboxes as they are in the end.

The rules are the product's own and asked once more, of every message in every mailbox; everything else here is a model
of its own: which rows there are, who reads what, what is one conversation, what stands on a timeline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.ids import short_id
from shared.domain.ledger import DECIDED_BY_CONTACTS, Rule, SeenRow, State
from shared.domain.mail.addresses import Address
from shared.domain.mail.envelope import METADATA_HEADERS, MailHeaders
from shared.domain.mail_rules import Decision, Direction, LeftOut, OwnRecord, decide, direction_of
from shared.domain.matching import contacts_of
from shared.domain.message import LoggedMessage, summary_of
from shared.domain.settings import Share
from shared.domain.threads import Thread, message_row_id, thread_id_for
from shared.domain.timeline import Entry, Kind, mail_entry
from shared.domain.visibility import reader_key
from shared.ports.documents import Query
from shared.providers.google.mime import headers_from_gmail
from shared.records.mail import ENTRY, MESSAGE, THREAD
from shared.records.mailboxes import mailbox_path
from shared.records.people import Contacts, Figures
from shared.records.seen import SEEN
from shared.usecases.mail.decide_mail import look_up, open_desk
from tests.simulation.plan import Seat
from tests.simulation.scene import Scene


@dataclass
class Held:
    """What the copies of one message ask for. readers: of served mailboxes. contacts: None where no copy tells."""

    readers: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    outgoing: bool = False


@dataclass
class Ledger:
    """What one tenant must hold. held: by row id, the organization's; own: by user and row id."""

    complaints: list[str] = field(default_factory=list)
    held: defaultdict[str, Held] = field(default_factory=lambda: defaultdict(Held))
    own: defaultdict[tuple[str, str], Held] = field(default_factory=lambda: defaultdict(Held))


def wrong_mail(scene: Scene) -> list[str]:
    """In words, what differs from what it must be."""
    found = []
    for tenant in scene.tenants:
        found += [f"{tenant}: {words}" for words in _wrong_in(scene, tenant)]
    return found


def _wrong_in(scene: Scene, tenant: str) -> Iterator[str]:
    ledger = Ledger()
    seats = [seat for seat in scene.seats_of(tenant) if scene.served(seat)]
    for seat in seats:
        _read_account(scene, seat, ledger)
    yield from ledger.complaints
    served = {seat.user_id for seat in seats}
    store = scene.cloud.store(tenant)
    messages = [MESSAGE.value(found.fields) for found in store.find(Query("messages"))]
    yield from _wrong_messages(messages, ledger.held, served)
    yield from _wrong_threads(scene, tenant, "", messages)
    yield from _wrong_timelines(scene, tenant, messages)
    for user_id in sorted(served):
        own = [MESSAGE.value(found.fields) for found in store.find(Query(f"users/{user_id}/messages"))]
        mine = {row_id: held for (user, row_id), held in ledger.own.items() if user == user_id}
        yield from _wrong_messages(own, mine, {user_id})
        yield from _wrong_threads(scene, tenant, f"users/{user_id}/", own)
        yield from _wrong_entries(scene, tenant, f"users/{user_id}", own)


# ---------------------------------------------------------------------------------------------------------- the ledger


def _read_account(scene: Scene, seat: Seat, ledger: Ledger) -> None:
    store = scene.cloud.store(seat.tenant)
    record = scene.record(seat)
    assert record is not None
    found = store.find(Query(f"{mailbox_path(record.mailbox_id)}/seen"))
    rows = {document.id: SEEN.value(document.fields) for document in found}
    messages = scene.cloud.gmail.mailbox(seat.account).messages
    known = {gmail_id: _headers(scene, seat.account, gmail_id) for gmail_id in messages}
    desk = open_desk(store, record.mailbox_id)
    lookup = look_up(store, desk, known.values())
    lost = {address for tenant, address in scene.lost_addresses if tenant == seat.tenant}
    for gmail_id in sorted(rows.keys() - messages.keys()):
        if (state := rows[gmail_id].state) in (State.LOGGED, State.QUEUED):
            ledger.complaints.append(f"{seat.account}: {gmail_id} is deleted and {state}")
    for gmail_id, headers in known.items():
        decision = decide(headers, desk.holder, desk.organization, lookup)
        named = {person.email for person in (*_shown(headers), *headers.bcc)}
        row = rows.get(gmail_id)
        problem = _wrong_row(scene, seat, gmail_id, row, decision, maybe_lost=bool(named & lost))
        if problem:
            ledger.complaints.append(f"{seat.account}: {headers.message_id} {problem}")
        if row is None or row.state is not State.LOGGED:
            continue
        outgoing = direction_of(headers, desk.holder) is Direction.OUTGOING
        counted = (*_shown(headers), *(headers.bcc if outgoing else ()))
        row_id = message_row_id(headers)
        held = ledger.own[seat.user_id, row_id] if row.own_record else ledger.held[row_id]
        held.readers.add(reader_key(seat.user_id, Share.FULL if row.own_record else Share(seat.share)))
        if not row.own_record:
            held.contacts |= set(contacts_of(known for person in counted for known in lookup.of(person)))
        told = decision.direction if not isinstance(decision, LeftOut) else direction_of(headers, desk.holder)
        held.outgoing |= told is Direction.OUTGOING


def _headers(scene: Scene, account: str, gmail_id: str) -> MailHeaders:
    return headers_from_gmail(scene.cloud.gmail.message(account, gmail_id, form="metadata", headers=METADATA_HEADERS))


def _shown(headers: MailHeaders) -> tuple[Address, ...]:
    return (*((headers.from_,) if headers.from_ else ()), *headers.to, *headers.cc)


def _wrong_row(
    scene: Scene, seat: Seat, gmail_id: str, row: SeenRow | None, decision: Decision, *, maybe_lost: bool
) -> str | None:
    """What is wrong with a living message's row. maybe_lost: it names an address that a contact had and lost; what was
    decided for it stays as it was."""
    state, rule = (row.state, row.rule) if row else (None, None)
    found = f"is {state}{f' by {rule}' if rule else ''}"
    if isinstance(decision, LeftOut) and decision.rule is Rule.SYSTEM_LABEL:
        return found if state in (State.LOGGED, State.QUEUED) else None
    if row is None:
        return "has no row"
    if gmail_id in scene.cloud.headless[seat.account]:
        return None if state is State.QUARANTINED else f"{found} and cannot be read"
    if maybe_lost and state is State.LEFT_OUT and rule in DECIDED_BY_CONTACTS:
        return None
    if isinstance(decision, LeftOut):
        if state is State.LEFT_OUT and rule is decision.rule:
            return None
        return None if maybe_lost and state is State.LOGGED else f"{found}, left out by {decision.rule} expected"
    if gmail_id in scene.cloud.unreadable[seat.account] and state is State.QUARANTINED:
        return None
    if state is not State.LOGGED:
        return f"{found}, logged expected"
    if row.own_record is not isinstance(decision, OwnRecord) and not maybe_lost:
        return f"is logged in the {'own record' if row.own_record else 'organization'}, the other was expected"
    return None


# -------------------------------------------------------------------------------------------------------- the messages


def _wrong_messages(messages: Iterable[LoggedMessage], held: Mapping[str, Held], served: set[str]) -> Iterator[str]:
    """Readers, contacts, direction. Of users whose mailbox is not served, nothing is said."""
    rows = {message.message_id: message for message in messages}
    for row_id in held:
        if row_id not in rows:
            yield f"message {row_id} is in the ledger and has no row"
    for row_id, message in rows.items():
        wanted = held.get(row_id, Held())
        mine = {reader for reader in message.readers if reader.rpartition(":")[0] in served}
        name = message.rfc_message_id or row_id
        if mine != wanted.readers:
            yield f"{name} is read by {sorted(mine)}, {sorted(wanted.readers)} expected"
        if len(set(message.readers)) != len(message.readers):
            yield f"{name} has readers twice: {message.readers}"
        if (message.hidden_at is not None) is bool(message.readers):
            yield f"{name} is {'' if message.hidden_at else 'not '}hidden, and read by {message.readers}"
        if not wanted.readers or len(mine) != len(message.readers):
            continue
        if set(message.contact_ids) != wanted.contacts:
            yield f"{name} belongs to {sorted(message.contact_ids)}, {sorted(wanted.contacts)} expected"
        if (message.direction is Direction.OUTGOING) is not wanted.outgoing:
            yield f"{name} is {message.direction}"


def _wrong_threads(scene: Scene, tenant: str, base: str, messages: list[LoggedMessage]) -> Iterator[str]:
    """Messages are one conversation exactly where references lead from one to the other."""
    store = scene.cloud.store(tenant)
    threads = {found.id: THREAD.value(found.fields) for found in store.find(Query(f"{base}threads"))}
    there = {message.message_id for message in messages}
    group = _Groups()
    for message in messages:
        letter = scene.letters[message.rfc_message_id or ""]
        group.join(message.message_id, thread_id_for(letter.message_id))
        if letter.references:
            group.join(message.message_id, thread_id_for(letter.references[0]))
            parent = short_id("m", "message-id", letter.references[-1])
            if parent in there:
                group.join(message.message_id, parent)
    by_group: defaultdict[str, set[str]] = defaultdict(set)
    by_thread: defaultdict[str, set[str]] = defaultdict(set)
    for message in messages:
        live = _live(threads, message.thread_id)
        by_group[group.of(message.message_id)].add(live)
        by_thread[live].add(group.of(message.message_id))
        if message.message_id not in threads[live].messages:
            yield f"{message.rfc_message_id} is not in its conversation"
    for key, found in by_group.items():
        if len(found) > 1:
            names = [message.rfc_message_id for message in messages if group.of(message.message_id) == key]
            yield f"one conversation in {len(found)} threads: {names}"
    for thread_id, groups in by_thread.items():
        if len(groups) > 1:
            yield f"thread {thread_id} holds {len(groups)} conversations"


def _live(threads: Mapping[str, Thread], thread_id: str) -> str:
    while (into := threads[thread_id].merged_into) is not None:
        thread_id = into
    return thread_id


class _Groups:
    """Who belongs together."""

    def __init__(self) -> None:
        self._next: dict[str, str] = {}

    def of(self, key: str) -> str:
        while self._next.get(key, key) != key:
            key = self._next[key]
        return key

    def join(self, one: str, other: str) -> None:
        self._next[self.of(one)] = self.of(other)


# ------------------------------------------------------------------------------------------------------- the timelines


def _wrong_timelines(scene: Scene, tenant: str, messages: list[LoggedMessage]) -> Iterator[str]:
    for stored in Contacts(scene.cloud.store(tenant)).page(after=None, limit=300):
        contact_id = stored.contact.contact_id
        mine = [message for message in messages if contact_id in message.contact_ids]
        yield from _wrong_entries(scene, tenant, f"contacts/{contact_id}", mine, contact_id)
        figures = _figures(mine)
        if stored.figures != figures:
            yield f"{contact_id} has figures {stored.figures}, {figures} expected"


def _wrong_entries(
    scene: Scene, tenant: str, owner: str, messages: list[LoggedMessage], contact_id: str | None = None
) -> Iterator[str]:
    store = scene.cloud.store(tenant)
    base = "" if contact_id else f"{owner}/"
    threads = {found.id: THREAD.value(found.fields) for found in store.find(Query(f"{base}threads"))}
    wanted: dict[str, Entry] = {}
    by_thread: defaultdict[str, list[LoggedMessage]] = defaultdict(list)
    for message in messages:
        by_thread[_live(threads, message.thread_id)].append(message)
    for thread_id, members in by_thread.items():
        summaries = {message.message_id: summary_of(message) for message in members}
        if entry := mail_entry(Thread(thread_id, summaries, members[0].sent_at)):
            wanted[thread_id] = entry
    found = {document.id: ENTRY.value(document.fields) for document in store.find(Query(f"{owner}/timeline"))}
    shown = {entry_id: entry for entry_id, entry in found.items() if entry.kind is Kind.MAIL}
    for entry_id in sorted({*wanted, *shown}):
        if wanted.get(entry_id) != shown.get(entry_id):
            yield f"{owner}: entry {entry_id} is {_told(shown.get(entry_id))}, {_told(wanted.get(entry_id))} expected"


def _told(entry: Entry | None) -> str:
    if entry is None:
        return "missing"
    return f"{entry.count} messages at {entry.at}: " + "; ".join(
        f"{kept.subject} {kept.direction} {kept.contact_ids} {kept.readers}" for kept in entry.messages.values()
    )


def _figures(messages: list[LoggedMessage]) -> Figures:
    seen = [message for message in messages if message.hidden_at is None]

    def newest(direction: Direction | None) -> datetime | None:
        return max((one.sent_at for one in seen if direction in (None, one.direction)), default=None)

    return Figures(newest(None), newest(Direction.INCOMING), newest(Direction.OUTGOING), len(seen))

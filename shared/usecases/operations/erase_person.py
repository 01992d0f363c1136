"""Erase one person: every trace listed, then gone, with proof (R10, D10).

First, in one commit, the addresses are marked: from then on the sync leaves their mail out by itself, and the marks,
keyed hashes, are all that stays. Then everything else goes, the contact last, because it says who is looked for. A
second look, a quarter of an hour later, finds what was under way meanwhile. Interrupted anywhere, the same command goes
on from where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from shared import log
from shared.domain.calendar.copy import CopyState
from shared.domain.cash.contract import UNDER_WAY
from shared.domain.cash.quote import EDITABLE, QuoteStatus
from shared.domain.erasure import (
    SECOND_LOOK_AFTER,
    Erasure,
    ErasureState,
    Person,
    erasure_id,
    redacted,
)
from shared.domain.ledger import Rule
from shared.domain.values import dataclass
from shared.errors import ContendedError, InputError, NotFoundError, StaleWriteError
from shared.ports.blobs import Blobs
from shared.ports.calendar import Recurrence
from shared.ports.documents import Delete, Documents, Merge, Query, Update, Write
from shared.ports.secrets import Vault
from shared.ports.time import Clock, Jitter
from shared.records.addresses import Addresses, row_of
from shared.records.audit import Audit
from shared.records.calendar import COPY, OCCURRENCE, Events
from shared.records.cash import CONTRACT, INTENT, QUOTE, CashRecords
from shared.records.erasures import Erasures
from shared.records.mail import Messages, Timelines, company_owner, contact_owner, deal_owner
from shared.records.organizations import Organizations
from shared.records.people import Contacts, StoredContact
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.calendar.rebuild_meeting import rebuild_meeting
from shared.usecases.cash.send_quote import pdf_key
from shared.usecases.operations.erase_mail import MailEraser
from shared.usecases.operations.person_traces import Sought, Trace, find_traces, sought, traces_in
from shared.usecases.save_contact import known_of

PASSES_AT_MOST = 5


class SignedPapers(StrEnum):
    """What becomes of papers the person signed, accepted or was invoiced by: the law may ask to keep them."""

    KEEP = "keep"
    ERASE = "erase"


@dataclass(frozen=True, slots=True)
class Eraser:
    """Everything an erasure needs of one organization."""

    documents: Documents
    store: TenantStore
    blobs: Blobs
    vault: Vault
    recurrence: Recurrence
    clock: Clock
    jitter: Jitter


@dataclass(frozen=True, slots=True)
class Outcome:
    """left: traces that are still there, by path; none in a finished erasure."""

    erasure: Erasure
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What an erasure would find. papers: signed ones, by path. under_way: sentences that must be settled first."""

    traces: dict[str, int]
    shared: int
    papers: tuple[str, ...]
    under_way: tuple[str, ...]


def list_person(eraser: Eraser, contact_id: str) -> Listing:
    """Change nothing, say what there is. Raises: NotFoundError."""
    found = _sought(eraser, contact_id)
    traces: Counter[str] = Counter()
    papers, under_way = [], []
    for trace in find_traces(eraser.documents, eraser.store, found.person, eraser.vault):
        traces[trace.collection] += 1
        if trace.paper:
            papers.append(trace.path)
        if sentence := _under_way(trace):
            under_way.append(sentence)
    return Listing(dict(sorted(traces.items())), found.shared, tuple(papers), tuple(under_way))


def _sought(eraser: Eraser, contact_id: str) -> Sought:
    """By the contact, or by the hashes its erasure kept. Raises: NotFoundError."""
    begun = Erasures(eraser.store).of_contact(contact_id)
    try:
        contact = Contacts(eraser.store).get(contact_id).contact
    except NotFoundError:
        if begun is None:
            raise
        contact = None
    index_key = Organizations(eraser.store).get().index_key
    if contact is None and begun is not None:
        return Sought(Person(contact_id, begun.value.keys, index_key), frozenset(), begun.value.shared)
    assert contact is not None
    found = sought(eraser.store, contact)
    if begun is None:
        return found
    person = replace(found.person, keys=begun.value.keys)  # by now its address rows are empty
    return Sought(person, found.own, begun.value.shared)


def _under_way(trace: Trace) -> str | None:
    """What would bring the person back, or go wrong, if it were erased now."""
    match trace.collection:
        case "contracts":
            contract = CONTRACT.value(trace.document.fields)
            if contract.status in UNDER_WAY or contract.sending_at is not None:
                return f"Contract {contract.number} is out for signature; void it first."
        case "invoice_intents":
            intent = INTENT.value(trace.document.fields)
            if not intent.settled:
                return f"Invoice {intent.number} is being made; wait until it is, or stop it first."
        case _:
            return None
    return None


def erase_person(eraser: Eraser, contact_id: str, *, papers: SignedPapers | None, actor: str) -> Outcome:
    """Go as far as possible: begin, go on after a crash, or take the second look when it is due.

    papers: must be said where there are signed papers. Raises: NotFoundError; InputError where a person has to decide
    or settle something first.
    """
    begun = Erasures(eraser.store).of_contact(contact_id)
    if begun is None:
        begun = _begin(eraser, contact_id, papers)
    if begun.value.state is ErasureState.DONE:
        return Outcome(begun.value, ())
    for _ in range(PASSES_AT_MOST):
        person = _sought(eraser, contact_id).person
        _erase_everything(eraser, person, begun.value)
        left = _left(eraser, person, begun.value)
        if left:
            return Outcome(begun.value, left)
        try:
            return Outcome(_advance(eraser, contact_id, actor), ())
        except StaleWriteError:
            continue  # a worker that knew the contact before posted mail meanwhile: that goes as well
    raise ContendedError(f"contact {contact_id} goes on changing while it is erased; run it again")


# ------------------------------------------------------------------------------------------------------------- begin


def _begin(eraser: Eraser, contact_id: str, papers: SignedPapers | None) -> Stored[Erasure]:
    listing = list_person(eraser, contact_id)
    if listing.under_way:
        raise InputError(" ".join(listing.under_way))
    if listing.papers and papers is None:
        raise InputError(
            f"{len(listing.papers)} signed papers name this person: {', '.join(listing.papers)}. The law may ask "
            "you to keep them. Say --papers keep, and the proof lists them, or --papers erase."
        )
    store = eraser.store

    def attempt() -> None:
        if Erasures(store).of_contact(contact_id) is not None:
            return
        stored = Contacts(store).get(contact_id)
        found = sought(store, stored.contact)
        addresses = Addresses(store, Organizations(store).get().index_key)
        marks = [Merge(addresses.path(email), {"v": 1, "erased": True}) for email in sorted(found.own)]
        kept = papers is not SignedPapers.ERASE
        erasure = Erasure(
            erasure_id=erasure_id(contact_id),
            contact_id=contact_id,
            begun_at=eraser.clock.now(),
            keys=found.person.keys,
            suppressed=tuple(mark.path.rsplit("/", 1)[1] for mark in marks),
            shared=found.shared,
            traces=listing.traces,
            erased_papers=not kept,
            kept=listing.papers if kept else (),
        )
        store.commit(
            [
                Erasures(store).creating(erasure),
                *marks,
                *(addresses.removing(known) for known in known_of(stored.contact)),
            ]
        )

    guarded(eraser.jitter, f"contact {contact_id}", attempt)
    log.event("erasure.begun", tenant=store.tenant, contact=contact_id)
    begun = Erasures(store).of_contact(contact_id)
    assert begun is not None
    return begun


# ------------------------------------------------------------------------------------------------------ one collection

_FIRST = (
    "deliveries",
    "quotes",
    "contracts",
    "invoice_intents",
    "customers",
    "duplicates",
    "opportunities",
    "copies",
    "events",
    "messages",
)
"""Before everything else, in this order: what is built from others goes after them, the contact at the very end."""


def _erase_everything(eraser: Eraser, person: Person, erasure: Erasure) -> None:
    mail = MailEraser(eraser.store, person, eraser.blobs, eraser.jitter)
    _tell_no_more(eraser, person)
    for collection in _FIRST:
        for trace in _of(eraser, person, collection):
            if trace.path in erasure.kept:
                continue
            match collection:
                case "messages":
                    mail.settle(trace.path)
                case "copies":
                    _empty_copy(eraser, trace)
                case "events":
                    _take_meeting_away(eraser, trace)
                case "deliveries" | "customers" | "duplicates":
                    eraser.store.commit([Delete(trace.path)])
                case _:
                    _redact_paper(eraser, person, trace)
    for trace in find_traces(eraser.documents, eraser.store, person, eraser.vault):
        if trace.path not in erasure.kept and trace.collection not in _FIRST:
            _erase_rest(eraser, person, trace)


def _of(eraser: Eraser, person: Person, collection: str) -> Iterator[Trace]:
    return traces_in(eraser.documents, eraser.store, person, eraser.vault, collection)


def _tell_no_more(eraser: Eraser, person: Person) -> None:
    """The name in the chains and tasks of the person's deals, while it is known which deals those are."""
    deals = {trace.document.id for trace in _of(eraser, person, "opportunities")}
    for collection in ("quotes", "contracts"):
        deals |= {str(trace.document.fields["deal_id"]) for trace in _of(eraser, person, collection)}
    for deal_id in sorted(deals):
        owners = _timelines_of(eraser.store, deal_id)
        for step in eraser.store.find(Query(f"opportunities/{deal_id}/chain")):
            if redacted(step.fields, person, words=True) != step.fields:
                for path in (*(f"{owner}/timeline/{step.id}" for owner in owners), step.path):  # the chain's own last
                    _redact(eraser, person, path, words=True)
        for task in eraser.store.find(Query("tasks", where=(("deal_id", "==", deal_id),))):
            _redact(eraser, person, task.path, words=True)


def _timelines_of(store: TenantStore, deal_id: str) -> list[str]:
    """Where the steps of a deal are told, besides its chain."""
    found = CashRecords(store).deals.find(deal_id)
    if found is None:
        return []
    company = [company_owner(found.value.company_id)] if found.value.company_id else []
    return [deal_owner(deal_id), *company, *(contact_owner(each.contact_id) for each in found.value.contacts)]


def _redact(
    eraser: Eraser, person: Person, path: str, *, words: bool = False, also: dict[str, object] | None = None
) -> None:
    """Black out one document, of which only the fields that change are written."""

    def attempt() -> None:
        found = eraser.store.get(path)
        if found is None:
            return
        clean = {**redacted(found.fields, person, words=words), **(also or {})}
        changed = {name: value for name, value in clean.items() if found.fields.get(name) != value}
        if changed:
            eraser.store.commit([Update(path, changed, found.version)])

    guarded(eraser.jitter, path, attempt)


def _redact_paper(eraser: Eraser, person: Person, trace: Trace) -> None:
    """A quote that is open can be accepted no more; documents with the person in them go."""
    also: dict[str, object] = {}
    keys: list[str] = []
    if trace.collection == "quotes":
        quote = QUOTE.value(trace.document.fields)
        if quote.status in EDITABLE:
            also = {"status": QuoteStatus.EXPIRED.value, "link": None}
        if quote.pdf_sha256 is not None:
            keys = [pdf_key(eraser.store, quote.quote_id, quote.pdf_sha256)]
            also["pdf_sha256"] = None
    elif trace.collection == "contracts":
        contract = CONTRACT.value(trace.document.fields)
        keys = [key for key in (contract.document_blob, contract.certificate_blob) if key]
        also = {"document_blob": None, "certificate_blob": None}
    for key in keys:
        eraser.blobs.delete(key)
    _redact(eraser, person, trace.path, words=True, also=also)


def _empty_copy(eraser: Eraser, trace: Trace) -> None:
    """A calendar's copy is left out, as it would be if it came in now, and its meeting waits to be built anew."""
    now = eraser.clock.now()

    def attempt() -> str | None:
        found = eraser.store.get(trace.path)
        if found is None:
            return None
        copy = COPY.value(found.fields)
        state = CopyState.CANCELLED if copy.cancelled else CopyState.LEFT_OUT
        after = replace(
            copy,
            event=copy.event.without_content(),
            state=state,
            rule=None if copy.cancelled else Rule.ERASED,
            rev=copy.rev + 1,
            rebuild_at=now if copy.meeting_id else None,
        )
        eraser.store.commit([Update(trace.path, COPY.fields(after), found.version)])
        return after.meeting_id

    meeting_id = guarded(eraser.jitter, trace.path, attempt)
    if meeting_id is not None:
        _rebuild(eraser, meeting_id)


def _rebuild(eraser: Eraser, meeting_id: str) -> None:
    rebuild_meeting(eraser.store, meeting_id, recurrence=eraser.recurrence, clock=eraser.clock, jitter=eraser.jitter)


def _take_meeting_away(eraser: Eraser, trace: Trace) -> None:
    """By building it anew without the copies that are left out; what no meeting stands behind goes directly."""
    occurrence = OCCURRENCE.value(trace.document.fields)
    _rebuild(eraser, occurrence.meeting_id)
    if Events(eraser.store).find(occurrence.event_id) is None:
        return
    timelines = Timelines(eraser.store)
    entries = [timelines.deleting(contact_owner(contact), occurrence.event_id) for contact in occurrence.contact_ids]
    eraser.store.commit([Events(eraser.store).deleting(occurrence.event_id), *entries])


def _erase_rest(eraser: Eraser, person: Person, trace: Trace) -> None:
    """The contact itself stays until nothing else is left; what lies below it goes; the rest is blacked out."""
    below_contact = trace.path.startswith(f"contacts/{person.contact_id}/")
    if trace.path == f"contacts/{person.contact_id}":
        return
    if below_contact:
        eraser.store.commit([Delete(trace.path)])
        return
    if trace.collection in ("threads", "timeline"):
        _drop_erased_messages(eraser, trace)
    _redact(eraser, person, trace.path)


def _drop_erased_messages(eraser: Eraser, trace: Trace) -> None:
    """Summaries of messages that are gone, wherever they still stand."""
    base = "/".join(trace.path.split("/")[:2]) + "/" if trace.path.startswith("users/") else ""

    def attempt() -> None:
        found = eraser.store.get(trace.path)
        if found is None:
            return
        ids = sorted(found.fields.get("messages") or {})
        here = {row.value.message_id for row in Messages(eraser.store, base).get_all(ids)}
        kept = {id_: found.fields["messages"][id_] for id_ in ids if id_ in here}
        if len(kept) == len(ids):
            return
        empty = not kept and trace.collection == "timeline"
        eraser.store.commit([Delete(trace.path) if empty else Update(trace.path, {"messages": kept}, found.version)])

    guarded(eraser.jitter, trace.path, attempt)


# ------------------------------------------------------------------------------------------------------------ the end


def _left(eraser: Eraser, person: Person, erasure: Erasure) -> tuple[str, ...]:
    """What the walk still finds, besides the contact and the papers that stay."""
    expected = {f"contacts/{person.contact_id}", *erasure.kept}
    traces = find_traces(eraser.documents, eraser.store, person, eraser.vault)
    return tuple(trace.path for trace in traces if trace.path not in expected)


def _advance(eraser: Eraser, contact_id: str, actor: str) -> Erasure:
    """The contact goes with the word that all is gone; the second look ends it.

    Raises: StaleWriteError where somebody wrote the contact since the last look.
    """
    store, now = eraser.store, eraser.clock.now()

    stored = Erasures(store).of_contact(contact_id)
    assert stored is not None
    erasure = stored.value
    contact = _contact(store, contact_id)
    writes: list[Write] = [Delete(f"contacts/{contact_id}", contact.version)] if contact else []
    if erasure.state is ErasureState.ERASING:
        after = replace(erasure, state=ErasureState.SETTLING, gone_at=now)
        writes.append(Audit(store).recording(actor, "contact.erased", contact_id, now))
    elif erasure.gone_at is not None and now - erasure.gone_at >= SECOND_LOOK_AFTER:
        after = replace(erasure, state=ErasureState.DONE, done_at=now)
    else:
        return erasure
    store.commit([*writes, Erasures(store).updating(after, stored.version)])
    log.event("erasure.advanced", tenant=store.tenant, contact=contact_id, state=after.state.value)
    return after


def _contact(store: TenantStore, contact_id: str) -> StoredContact | None:
    try:
        return Contacts(store).get(contact_id)
    except NotFoundError:
        return None


def suppressed(store: TenantStore, erasure: Erasure) -> bool:
    """Whether every mark that keeps the person out is in its place: part of the proof."""
    rows = store.get_all([f"addresses/{row_id}" for row_id in erasure.suppressed])
    return all(row_of(row).erased and not row_of(row).known for row in rows)
